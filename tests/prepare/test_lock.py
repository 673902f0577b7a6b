import os
import threading
import time

from medclf.prepare.lock import hold


def test_lock_is_exclusive_and_leaves_no_file(tmp_path):
    path = tmp_path / "a.lock"
    with hold(path) as held:
        assert held
        with hold(path, wait=False) as second:
            assert not second
        assert path.exists()
    assert not path.exists()
    with hold(path, wait=False) as free:
        assert free


def test_waiting_ends_when_the_holder_ends(tmp_path):
    path, told = tmp_path / "a.lock", []

    def wait():
        with hold(path):
            told.append("second")

    with hold(path):
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.05)
        told.append("first")
    thread.join(5)
    assert told == ["first", "second"]


def test_many_processes_never_hold_it_at_once(tmp_path):
    """Each adds 1 to a number in a file, slowly: one lost addition would show."""
    path, number = tmp_path / "a.lock", tmp_path / "number"
    number.write_text("0")
    children = []
    for _ in range(4):
        child = os.fork()
        if not child:
            try:
                for _ in range(25):
                    with hold(path):
                        old = int(number.read_text())
                        time.sleep(0.0005)
                        number.write_text(str(old + 1))
            finally:
                os._exit(0)
        children.append(child)
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    assert number.read_text() == "100"
    assert not path.exists()


def test_dead_holder_lets_go(tmp_path):
    path = tmp_path / "a.lock"
    child = os.fork()
    if not child:
        with hold(path):
            os._exit(0)
    os.waitpid(child, 0)
    assert path.exists()
    with hold(path, wait=False) as free:
        assert free
