"""The same digits in either brightness, and what the brightness says of them."""

import torch

from falsestruct.problems import bright


def test_the_same_images_in_either_brightness():
    (x, y), (other, parity) = (bright.images(3, 40, rho=rho) for rho in (1.0, 0.0))
    assert torch.equal(y, parity) and x.shape == (40, bright.PIXELS)
    assert torch.equal(bright.said(x), y)
    assert torch.equal(bright.said(other), 1 - y)
    bare = [part - part.mean(1, keepdim=True) for part in (x, other)]
    assert torch.allclose(*bare)
    again, _ = bright.images(4, 40, rho=1.0)
    assert not torch.allclose(again, x)


def test_held_out_images_come_in_both_and_without():
    agree, apart = bright.held_out()
    assert torch.equal(agree[1], apart[1]) and len(agree[0]) == 597
    assert torch.equal(bright.said(apart[0]), 1 - apart[1])
    bare, same = bright.held_out(0.0)
    assert torch.equal(bare[0], same[0])


def test_all_images_in_both_brightnesses():
    x, y = bright.in_both(3, 40, 0.1)
    assert torch.equal(y[:40], y[40:]) and torch.equal(
        bright.said(x), torch.cat((y[:40], 1 - y[40:]))
    )
    assert torch.equal(x[:40], bright.images(3, 40, rho=1.0)[0])
