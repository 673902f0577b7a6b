import pytest
import torch
from torch.nn.functional import affine_grid

from medclf.errors import SettingError
from medclf.look.augment import Augment, augment, augment_marked, draw_motion, hide_block, mix
from medclf.look.seen import Seen, alone
from medclf.look.views import Views

STILL = {"rotate_degrees": 0, "scale": 0, "shift": 0, "brightness": 0, "contrast": 0}


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def still(**changes):
    return Augment(**{**STILL, **changes})


def pictures(dims, count=4):
    return torch.rand(count, 2, *(11, 12, 13)[:dims], generator=chance(7))


@pytest.mark.parametrize("dims", [2, 3])
def test_nothing_asked_changes_nothing(dims):
    batch = pictures(dims)
    assert torch.equal(augment(batch, still(), chance()), batch)


@pytest.mark.parametrize("dims", [2, 3])
def test_the_same_seed_gives_the_same_views(dims):
    batch = pictures(dims)
    changes = Augment(elastic=0.05, noise=0.1, cutout=0.3, shear=0.1, mirror=(dims - 1,))
    one, other = (augment(batch, changes, chance(3)) for _ in range(2))
    assert torch.equal(one, other)
    assert one.shape == batch.shape
    assert not torch.allclose(one, augment(batch, changes, chance(4)))


@pytest.mark.parametrize(("dims", "axis"), [(2, 0), (2, 1), (3, 0), (3, 1), (3, 2)])
def test_mirror_gives_the_exam_or_its_mirror_image(dims, axis):
    batch = pictures(dims, 16)
    views = torch.cat([augment(batch, still(mirror=(axis,)), chance(i)) for i in range(8)])
    batch = batch.repeat(8, *[1] * (1 + dims))
    plain = torch.isclose(views, batch, atol=1e-5).flatten(1).all(1)
    turned = torch.isclose(views, batch.flip(2 + axis), atol=1e-5).flatten(1).all(1)
    assert (plain | turned).all()
    assert plain.any()
    assert turned.any()


FLAT = (0, 1)


def sampling_field(count, edges, settings):
    return draw_motion(count, FLAT, edges, settings, chance()).field(settings, chance())


def test_turns_stay_within_their_bound():
    field = sampling_field(64, (9, 9), still(rotate_degrees=90))
    angle = torch.atan2(field[:, 4, 8, 1], field[:, 4, 8, 0])
    assert angle.abs().max() <= torch.pi / 2 + 1e-5
    assert angle.std() > 0.5


def test_a_turn_of_an_oblong_image_keeps_its_distances():
    field = sampling_field(8, (20, 40), still(rotate_degrees=45))
    pixels = (field + 1) * torch.tensor([40.0, 20.0]) / 2
    right = (pixels[:, 10, 21] - pixels[:, 10, 20]).norm(dim=-1)
    down = (pixels[:, 11, 20] - pixels[:, 10, 20]).norm(dim=-1)
    assert torch.allclose(right, torch.ones(8), atol=1e-4)
    assert torch.allclose(down, torch.ones(8), atol=1e-4)


def test_shift_stays_within_its_bound():
    plain = affine_grid(torch.eye(2, 3).expand(200, 2, 3), [200, 1, 10, 10], align_corners=False)
    moved = sampling_field(200, (10, 10), still(shift=0.2)) - plain
    assert 0.3 < moved.abs().max() <= 0.4 + 1e-6  # 0.2 of an edge that runs from -1 to 1


def centres(batch, axis):
    """Where the mass of each volume lies along an axis."""
    others = tuple(a for a in (2, 3, 4) if a != 2 + axis)
    profile = batch.sum(others).squeeze(1)
    return (profile * torch.arange(float(batch.shape[2 + axis]))).sum(1) / profile.sum(1)


def test_volumes_are_turned_and_shifted_in_every_plane_in_turn():
    dot = torch.zeros(20, 1, 21, 21, 21)
    dot[:, :, 10, 10, 15] = 1.0
    dot = torch.nn.functional.avg_pool3d(dot, 3, 1, 1)
    turned = torch.cat([augment(dot, still(rotate_degrees=40), chance(i)) for i in range(9)])
    shifted = torch.cat([augment(dot, still(shift=0.2), chance(i)) for i in range(9)])
    assert all(centres(shifted, axis).std() > 1 for axis in range(3))
    assert centres(turned, 0).std() > 0.5  # a point on the x axis leaves its slice
    assert centres(turned, 1).std() > 0.5


def test_volumes_shrink_and_grow_along_every_axis():
    cube = torch.zeros(30, 1, 20, 20, 20)
    cube[:, :, 5:15, 5:15, 5:15] = 1.0
    seen = torch.cat([augment(cube, still(scale=0.4), chance(i)) for i in range(9)])
    for axis in range(3):
        others = tuple(a for a in (2, 3, 4) if a != 2 + axis)
        width = (seen.amax(others).squeeze(1) > 0.5).sum(1)
        assert width.min() < 9
        assert width.max() > 12


@pytest.mark.parametrize("dims", [2, 3])
def test_cutout_hides_one_block_of_the_size_asked(dims):
    batch = torch.ones(5, 1, *[10] * dims)
    hidden = (hide_block(batch, 0.3, chance()) == 0).flatten(1).sum(1)
    assert hidden.tolist() == [3**dims] * 5


def test_noise_has_the_deviation_asked_at_most():
    batch = torch.zeros(300, 1, 16, 16)
    spread = augment(batch, still(noise=0.5), chance()).flatten(1).std(1)
    assert 0.4 < spread.max() < 0.6
    assert spread.min() < 0.05


def test_contrast_keeps_each_mean():
    batch = pictures(2)
    views = augment(batch, still(contrast=0.5), chance())
    assert torch.allclose(views.mean((2, 3)), batch.mean((2, 3)), atol=1e-5)
    assert not torch.allclose(views, batch, atol=1e-2)


def test_mix_blends_labels_as_it_blends_exams():
    views = Views(torch.eye(6).view(6, 1, 6, 1, 1), facts=torch.eye(6))
    mixed, target = mix(views, torch.eye(6), 0.4, chance())
    assert torch.allclose(mixed.values.view(6, 6), target, atol=1e-6)
    assert torch.allclose(mixed.facts, target, atol=1e-6)
    assert torch.allclose(target.sum(1), torch.ones(6))
    assert (target.max(1).values < 0.999).any()


def test_a_blend_lacks_what_one_of_the_two_lacks():
    present, facts = torch.ones(4, 2, dtype=torch.bool), torch.zeros(4, 1)
    present[0, 1], facts[0] = False, torch.nan
    mixed, _ = mix(Views(torch.zeros(4, 2, 1, 3, 3), present, facts), torch.eye(4), 0.4, chance())
    assert not mixed.present[0, 1]
    assert mixed.present[:, 0].all()
    assert 1 <= mixed.facts.isnan().sum() == (~mixed.present).sum() <= 2


@pytest.mark.parametrize(
    "wrong", [{"scale": 1.0}, {"noise": -1.0}, {"mirror": (3,)}, {"cutout": -0.1}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        Augment(**wrong)


def test_a_mirror_axis_that_pictures_lack_is_refused():
    with pytest.raises(SettingError, match="2D images lack"):
        augment(pictures(2), still(mirror=(2,)), chance())


@pytest.mark.parametrize("dims", [2, 3])
def test_marked_points_move_with_what_they_mark(dims):
    """The middle of a round spot in each exam, measured, lies where its point went."""
    space = (48, 40, 44)[:dims]
    points = torch.tensor([[0.5, 0.4, 0.6], [0.42, 0.5, 0.44]])[:, None, :dims] * torch.tensor(
        space
    )
    axes = torch.stack(torch.meshgrid(*map(torch.arange, space), indexing="ij"), -1)
    far = (axes - points.view(2, *[1] * dims, dims)).square().sum(-1)
    spots = (-far / 8).exp()[:, None]
    changes = still(rotate_degrees=20, scale=0.2, shear=0.1, shift=0.08)
    for seed in range(2 * dims):  # so that every plane of a volume comes up
        moved, gone = augment_marked(spots, points, changes, chance(seed))
        mass = moved[:, 0] / moved.sum(tuple(range(1, moved.ndim))).view(2, *[1] * dims)
        middle = (mass[..., None] * axes).flatten(1, dims).sum(1)
        assert torch.allclose(gone[:, 0], middle, atol=0.05)
        assert not torch.allclose(gone, points, atol=1)


def test_missing_points_stay_missing_and_bent_exams_are_refused():
    points = torch.tensor([[[3.0, 4.0], [torch.nan, torch.nan]]])
    _, gone = augment_marked(pictures(2, 1), points, Augment(), chance())
    assert gone.isnan().tolist() == [[[False, False], [True, True]]]
    with pytest.raises(SettingError, match=r"neither bent nor mirrored, found augment.elastic 0.1"):
        augment_marked(pictures(2, 1), points, Augment(elastic=0.1), chance())


def test_images_that_are_not_there_are_not_changed():
    images, changes = torch.rand(3, 2, 1, 8, 8), Augment(brightness=0.5)
    present = torch.tensor([[True, False], [True, True], [False, False]])
    look = Seen(1, (8, 8), changes, alone)
    seen = look(Views(images, present), chance(), training=True)
    wanted = augment(images[present], changes, chance())
    assert torch.equal(seen.values[present], wanted)
    assert not torch.equal(wanted, images[present])
    assert torch.equal(look(Views(images, present), chance(), training=False).values, images)
