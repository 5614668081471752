"""Linear classifiers: distances and directions in closed form."""

import pytest
import torch

from falsestruct.instability import linear
from falsestruct.learning.ensembles import by_hand, train
from falsestruct.learning.networks import by_name, for_images
from falsestruct.learning.training import Schedule
from tests.worlds.perturbed import X, Y, class_means, nearest_mean


def test_the_distance_is_that_to_the_nearest_plane():
    rows = torch.tensor([[[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]])
    x = torch.tensor([[1.0, 1.0], [-2.0, -1.0]])
    outputs = torch.einsum("sp,mcp->msc", x, rows)  # 0, 7, 1 and 0, −10, −1
    found = linear.distance(rows, outputs, torch.tensor([1, 0]))
    assert found[0].tolist() == pytest.approx([min(7 / 5, 6 / 18**0.5), min(10 / 5, 1.0)])
    assert linear.distance(rows, outputs, torch.tensor([0, 0]))[0, 0] == pytest.approx(-7 / 5)


def test_no_shorter_step_changes_the_label_and_a_longer_one_does():
    rule, means = nearest_mean(1), class_means()[None]
    f = rule.outputs(X[None].float()).double()
    label = f[0].argmax(1)
    radius = linear.distance(means, f, label)[0]
    gaps = (f[0].gather(1, label[:, None]) - f[0]) / torch.cdist(means[0][label], means[0])
    rival = gaps.scatter(1, label[:, None], torch.inf).argmin(1)
    way = (means[0][rival] - means[0][label]).view_as(X)
    way = way / way.flatten(1).norm(dim=1)[:, None, None]
    for factor, same in ((0.99, True), (1.01, False)):
        moved = X + factor * radius[:, None, None] * way
        assert ((rule.labels(moved)[0] == label) == same).all()
    assert len(Y) == len(radius)


def test_a_projection_keeps_differences_of_rows_and_nothing_else():
    rows = torch.randn(2, 4, 9, generator=torch.Generator().manual_seed(1)).double()
    found = linear.projection(rows)
    assert (found @ found - found).abs().max() < 1e-12
    assert found.diagonal(dim1=1, dim2=2).sum(1).tolist() == pytest.approx([3, 3])
    apart = rows - rows.mean(1, keepdim=True)
    assert (apart @ found - apart).abs().max() < 1e-12


def test_outputs_hold_what_the_projection_holds_at_one_scale():
    draw = torch.Generator().manual_seed(2)
    rows, x = (torch.randn(*shape, generator=draw).double() for shape in ((2, 4, 9), (50, 9)))
    view = linear.outputs(rows, x)
    found = x @ view
    assert view.shape == (2, 9, 9) and (found[..., 4:] == 0).all()
    assert found[..., :4].sum(2).abs().max() < 1e-9  # less their mean
    assert found[..., :4].var(1, correction=0).mean(1).tolist() == pytest.approx([1, 1])
    once = linear.projection(rows)
    assert (once @ view - view).abs().max() < 1e-9
    assert torch.linalg.matrix_rank(view).tolist() == [3, 3]


def test_features_break_where_their_mean_product_says():
    x = torch.tensor([[2.0, 0.1], [-2.0, -0.1], [2.0, 0.1], [-1.0, 0.1]]).double()
    y = torch.tensor([1.0, -1.0, 1.0, -1.0])
    found = linear.features((x, y), (x, y))
    breaks = dict(zip(found["feature"], found["breaks"], strict=True))
    assert breaks["mean difference"] == pytest.approx((1.75**2 + 0.05**2) ** 0.5)
    assert breaks["best pixel"] == pytest.approx(1.75)
    assert found["accuracy"] == [1.0, 1.0, 1.0]


def test_weights_are_those_of_a_trained_linear_network():
    network = by_name("linear", for_images(8, 10))
    asked = train(network, (X, Y), [0, 1], Schedule(3))
    rows = linear.weights(asked)
    assert rows.shape == (2, 10, 64)
    f = asked.outputs(X.float().expand(2, -1, -1, -1)).double()
    assert (f - X.flatten(1) @ rows.transpose(1, 2)).std(1).max() < 1e-5  # the biases are left
    with pytest.raises(ValueError, match="0 matrices of weights; expected trained linear"):
        linear.weights(by_hand(nearest_mean().outputs)(network, (X, Y), [0], Schedule(1)))
    deep = train(by_name("MLP", for_images(8, 10)), (X, Y), [0], Schedule(1))
    with pytest.raises(ValueError, match="2 matrices of weights"):
        linear.weights(deep)
