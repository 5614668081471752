"""Teaching material out of perturbations says what it should and nothing else."""

from __future__ import annotations

import pytest
import torch

from falsestruct.instability import lessons
from falsestruct.learning.training import Set
from falsestruct.problems import digits
from tests.worlds.perturbed import X, Y, linear, nearest_mean


def test_the_lead_of_a_target_and_its_shape() -> None:
    outputs = nearest_mean().outputs
    x = X[:5].expand(2, -1, -1, -1)
    targets = torch.tensor([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]])
    lead = lessons.targeted(outputs, targets)(x)
    assert torch.equal(lead > 0, outputs(x).argmax(-1) == targets)
    with pytest.raises(ValueError, match="attack all points at once"):
        lessons.targeted(outputs, targets)(x[:, :3])


def test_lessons_contradict_the_nearest_image_and_keep_norms() -> None:
    x, y, asked = X, Y, nearest_mean()
    given = lessons.lessons(asked, (x, y), seed=0)
    assert list(given.sets) == list(lessons.LESSONS)
    other = torch.cdist(x.flatten(1), x.flatten(1)).masked_fill(y[:, None] == y, torch.inf).amin(1)
    for lesson, sets in given.sets.items():
        for images, labels in sets:
            gaps = torch.cdist(images.flatten(1), x.flatten(1))
            if lesson.startswith("perturbation"):
                assert (y[gaps.argmin(1)] != labels).all()
                seen = asked.labels(images)[0]
                assert torch.equal(seen, labels)
                origin = gaps.argmin(1)
                if "inside" in lesson:
                    assert (gaps.amin(1) < other[origin] / 2).all()
    for where in ("", " inside"):
        left, right = (given.sets[lesson + where][0] for lesson in ("perturbation", "random"))
        assert torch.equal(left[1], right[1])
    assert len(given.sets["perturbation"][0][1]) > len(given.sets["perturbation inside"][0][1]) > 2


def test_where_no_perturbation_leads_to_a_target_nothing_can_be_taught() -> None:
    sure = torch.zeros(2, 10)
    sure[:, 0] = 1e3
    with pytest.raises(ValueError, match="0 images are left for a member; expected at least 2"):
        lessons.lessons(linear(torch.zeros(2, 10, 64), sure), (X, Y), seed=0)


@pytest.fixture(scope="module")
def known() -> Set:
    """Images of all classes that the given ones are not among."""
    x, y = digits.digits().train
    return x[100:400], y[100:400]


def test_arms_move_the_same_images_by_the_same_lengths_under_the_same_labels(known: Set) -> None:
    told = lessons.arms(nearest_mean(1), known, (X, Y), seed=0)
    assert tuple(told.sets) == lessons.ARMS
    moved = {arm: sets[0][0] for arm, sets in told.sets.items()}
    labels = told.sets["perturbation"][0][1]
    # A random way is at right angles to all others, so it stays nearest to where it began.
    origin = torch.cdist(moved["random"].flatten(1), X.flatten(1)).argmin(1)
    ways = {arm: (images - X[origin]).flatten(1) for arm, images in moved.items()}
    size = ways["perturbation"].norm(dim=1)
    every, truth = torch.cat((X, known[0])).flatten(1), torch.cat((Y, known[1]))
    for arm, (images, other) in ((arm, sets[0]) for arm, sets in told.sets.items()):
        assert torch.equal(labels, other)
        torch.testing.assert_close(ways[arm].norm(dim=1), size, rtol=1e-5, atol=1e-6)
        nearest = torch.cdist(images.flatten(1), every).argmin(1)
        assert torch.equal(truth[nearest], Y[origin])  # the nearest image keeps its label
    means = torch.stack([known[0][known[1] == c].mean(0).flatten() for c in range(10)])
    _is_along(ways["mean"], means[labels] - means[Y[origin]])
    gaps = torch.cdist(X[origin].flatten(1), known[0].flatten(1))
    place = gaps.masked_fill(known[1] != labels[:, None], torch.inf).argmin(1)
    _is_along(ways["nearest"], (known[0][place] - X[origin]).flatten(1))


def _is_along(way: torch.Tensor, direction: torch.Tensor) -> None:
    cosine = torch.cosine_similarity(way, direction)
    torch.testing.assert_close(cosine, torch.ones_like(cosine), rtol=0, atol=1e-6)


def test_what_is_taken_away_is_known_and_as_much_in_other_directions(known: Set) -> None:
    told = lessons.arms(nearest_mean(1), known, (X, Y), seed=0)
    moved = {arm: sets[0][0] for arm, sets in told.sets.items()}
    base = X[torch.cdist(moved["random"].flatten(1), X.flatten(1)).argmin(1)]
    whole = (moved["perturbation"] - base).flatten(1)
    square = whole.square().sum(1)
    for arm, share in told.within.items():
        left = torch.cosine_similarity((moved[arm] - base).flatten(1), whole)
        lost = (square * (1 - left.square())).sum() / square.sum()
        assert lost.item() == pytest.approx(share.item(), abs=1e-4), arm
    held = {arm: share.item() for arm, share in told.within.items()}
    assert held["across others"] == pytest.approx(held["across means"], abs=1e-6)
    assert held["across random"] < held["across means"] < 1
    means = torch.stack([known[0][known[1] == c].mean(0).flatten() for c in range(10)])
    spread = means[1:] - means[0]
    across = {arm: (moved[arm] - base).flatten(1) @ spread.T for arm in told.within}
    assert across["across means"].abs().max() < 1e-6
    assert across["across others"].abs().max() > 1e-2
    span = torch.linalg.svd(spread, full_matrices=False).Vh
    within = (whole @ span.T).square().sum() / square.sum()
    assert held["across means"] == pytest.approx(within.item(), abs=1e-6)
    overlap = {arm: share.item() for arm, share in told.overlap.items()}
    assert overlap["across means"] == pytest.approx(1, abs=1e-6)
    assert overlap["across random"] == pytest.approx(span.shape[0] / 64, abs=0.1)
    assert overlap["across random"] < overlap["across others"] < 1


def test_a_class_of_which_nothing_is_known_has_no_mean(known: Set) -> None:
    rest = known[1] != 3
    lacks = known[0][rest], known[1][rest]
    with pytest.raises(ValueError, match="no known image of class 3; expected 10 classes"):
        lessons.arms(nearest_mean(1), lacks, (X, Y), seed=0)
