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
