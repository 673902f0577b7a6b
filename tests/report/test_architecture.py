from xml.etree import ElementTree

from medclf.report.architecture import FIRST, LAST, WIDTH, Box, Column, draw_architecture

SVG = "{http://www.w3.org/2000/svg}"


def stage(number, blocks=2, arched=False, **options):
    boxes = tuple(Box(56 // number, 64 * number, arched) for _ in range(blocks))
    return Column(f"stage{number}", boxes, (f"{64 * number} maps",), **options)


def drawn(columns, title="net", lines=("a line",)):
    return ElementTree.fromstring(draw_architecture(title, lines, columns))


def words(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def paths(root, **attributes):
    return [
        path
        for path in root.iter(f"{SVG}path")
        if all(path.get(name.replace("_", "-")) == value for name, value in attributes.items())
    ]


def faces(root):
    return [path for path in paths(root) if path.get("fill") != "none"]


def test_names_and_words_stand_in_the_picture():
    root = drawn([stage(1), stage(2)], "R&D <net>", ("by Tan & Le",))
    assert root.get("aria-label") == "R&D <net>"
    told = words(root)
    assert told[:2] == ["R&D <net>", "by Tan & Le"]
    assert {"stage1", "64 maps", "stage2", "128 maps"} <= set(told)


def test_every_block_is_a_box_of_three_faces_and_many_are_left_out():
    assert len(faces(drawn([stage(1, 6)]))) == 3 * 6
    root = drawn([stage(1, 36)])
    assert len(faces(root)) == 3 * (FIRST + LAST)
    assert len(list(root.iter(f"{SVG}circle"))) == 3
    assert len(faces(drawn([stage(1, 9, beside=True)]))) == 3 * 9


def test_only_blocks_with_a_shortcut_have_an_arc():
    def arcs(root):
        return [path for path in paths(root, fill="none") if "C" in path.get("d")]

    assert len(arcs(drawn([stage(1, 3, arched=True), stage(2)]))) == 3


def test_larger_maps_are_higher_and_more_channels_thicker():
    def front(edge, channels):
        other = Column("other", (Box(224, 1),), ())
        root = drawn([Column("one", (Box(edge, channels),), ()), other])
        across, down = faces(root)[2].get("d").split("l")[1:3]
        return float(across.split()[0]), float(down.split()[1])

    assert front(56, 64)[0] == front(7, 64)[0] < front(56, 512)[0]
    assert front(7, 64)[1] < front(56, 64)[1] == front(56, 512)[1] < front(224, 64)[1]


def test_stages_without_a_convolution_are_grey():
    def colours(columns):
        return {path.get("fill") for path in faces(drawn(columns))}

    def is_grey(colour):
        return max(bytes.fromhex(colour[1:])) - min(bytes.fromhex(colour[1:])) < 20

    assert all(map(is_grey, colours([stage(1, plain=True)])))
    assert not any(map(is_grey, colours([stage(1)])))


def test_many_stages_go_to_rows_that_fit_the_page():
    root = drawn([stage(1 + n % 5, 5) for n in range(20)])
    wide = float(root.get("width"))
    assert wide <= WIDTH
    middles = [float(text.get("x")) for text in root.iter(f"{SVG}text")]
    assert 0 < min(middles) <= max(middles) < wide
    heights = {text.get("y") for text in root.iter(f"{SVG}text") if text.get("font-weight")}
    assert len(heights) > 2
    assert draw_architecture("n", (), [stage(1)]) == draw_architecture("n", (), [stage(1)])
