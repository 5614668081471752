"""Teaching material out of perturbations says what it should and nothing else."""

from __future__ import annotations

import pytest
import torch

from falsestruct.instability import lessons
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


def test_arms_move_the_same_images_by_the_same_lengths_under_the_same_labels() -> None:
    known, given = (X[:40], Y[:40]), (X[40:], Y[40:])
    told = lessons.arms(nearest_mean(), known, given, seed=0)
    assert tuple(told.sets) == lessons.ARMS
    x, labels = told.sets["perturbation"][0]
    moved = {arm: sets[0][0] for arm, sets in told.sets.items()}
    gaps = torch.cdist(x.flatten(1), X[40:].flatten(1))
    origin, size = gaps.argmin(1), gaps.amin(1)
    base = X[40:][origin]
    for arm, (images, other) in ((arm, sets[0]) for arm, sets in told.sets.items()):
        assert torch.equal(labels, other)
        length = (images - base).flatten(1).norm(dim=1)
        torch.testing.assert_close(length, size, rtol=1e-5, atol=1e-6), arm
        nearest = torch.cdist(images.flatten(1), X.flatten(1)).argmin(1)
        assert torch.equal(Y[nearest], Y[40:][origin])  # the nearest image keeps its label
    means = torch.stack([X[40:][Y[40:] == c].mean(0).flatten() for c in range(10)])
    spread = means[1:] - means[0]
    across = (moved["across means"] - base).flatten(1)
    assert (across @ spread.T).abs().max() < 1e-6
    along = torch.cosine_similarity(
        (moved["mean"] - base).flatten(1), means[labels] - means[Y[40:][origin]]
    )
    torch.testing.assert_close(along, torch.ones_like(along), rtol=0, atol=1e-6)
    # The rule of the nearest mean moves along differences of means: nothing of it is left across.
    kept = (moved["across random"] - base).flatten(1)
    way = (moved["perturbation"] - base).flatten(1)
    assert torch.cosine_similarity(kept, way).mean() > 0.85
