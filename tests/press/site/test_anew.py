"""Builds that were killed, and clocks that ran ahead."""

import os
import time

import pytest

from falsestruct.press.site import anew


@pytest.fixture
def kept(tmp_path):
    """What Sphinx keeps from a build that ended well."""
    pickle = tmp_path / "_build" / ".doctrees" / "environment.pickle"
    pickle.parent.mkdir(parents=True)
    pickle.touch()
    with anew.alone(tmp_path):
        pass
    return pickle


def test_after_a_whole_build_pages_are_kept(tmp_path, kept):
    with anew.alone(tmp_path):
        assert kept.exists()


def test_after_a_broken_build_all_is_made_anew(tmp_path, kept):
    with pytest.raises(KeyboardInterrupt), anew.alone(tmp_path):
        raise KeyboardInterrupt
    with anew.alone(tmp_path):
        assert not kept.parent.exists()


def test_after_a_clock_that_ran_ahead_all_is_made_anew(tmp_path, kept):
    ahead = time.time() + 3600
    os.utime(kept, (ahead, ahead))
    with anew.alone(tmp_path):
        assert not kept.exists()
