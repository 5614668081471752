"""Fast transforms against dense matrices, and the promises of an operator."""

import numpy as np
import pytest
import scipy.fft
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from falsestruct.theory import operators
from falsestruct.theory.operators import Cosine, Dense, Fourier, Walsh, gaussian, sampled_rows


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0, complex=False):
    dtype = torch.complex128 if complex else torch.float64
    return torch.randn(*shape, dtype=dtype, generator=generator(seed))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 100, 101, 1024])
def test_the_cosine_transform_is_scipy_s(n):
    x = normal(2, 3, n)
    wanted = torch.from_numpy(scipy.fft.dct(x.numpy(), norm="ortho", axis=-1))
    torch.testing.assert_close(operators.cosine(x), wanted, rtol=0, atol=1e-13)
    torch.testing.assert_close(operators.inverse_cosine(wanted), x, rtol=0, atol=1e-13)


def test_the_cosine_transform_of_a_complex_signal_is_that_of_its_parts():
    x = normal(2, 8, complex=True)
    wanted = torch.complex(operators.cosine(x.real), operators.cosine(x.imag))
    assert torch.equal(operators.cosine(x), wanted)
    torch.testing.assert_close(operators.inverse_cosine(wanted), x, rtol=0, atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 8, 32, 64, 128, 1024, 2048, 4096])
def test_the_walsh_hadamard_transform_is_hadamard_s_matrix(n):
    x = normal(3, n)
    wanted = x @ torch.from_numpy(scipy.linalg.hadamard(n, dtype="int8")).double() / n**0.5
    torch.testing.assert_close(operators.hadamard(x), wanted, rtol=0, atol=1e-13)


OPERATORS = {
    "dense": lambda: gaussian(5, 8, generator()),
    "grouped": lambda: gaussian(5, 8, generator(), groups=(2,)),
    "cosine": lambda: Cosine(8, sampled_rows(5, 8, generator())),
    "Walsh": lambda: Walsh(8, sampled_rows(5, 8, generator())),
    "Fourier": lambda: Fourier(8, sampled_rows(5, 8, generator())),
    "complex": lambda: Dense(normal(5, 8, complex=True)),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_the_adjoint_is_the_adjoint_and_the_norm_the_norm(name):
    operator = OPERATORS[name]()
    complex = name in ("Fourier", "complex")
    x, y = normal(2, 3, 8, complex=complex), normal(2, 3, 5, seed=1, complex=complex)
    left = (operator.forward(x) * y.conj()).sum(-1)
    right = (x * operator.adjoint(y).conj()).sum(-1)
    torch.testing.assert_close(left, right)
    assert operator.shape == (5, 8)
    eye = torch.eye(8, dtype=x.dtype).expand(2, 8, 8)
    values = torch.linalg.svdvals(operator.forward(eye).mT)[:, 0]
    torch.testing.assert_close(operator.norm.flatten().expand(2), values)


@pytest.mark.parametrize(("kind", "n"), [(Cosine, 7), (Cosine, 8), (Walsh, 8)])
def test_sampled_rows_are_rows_of_scipy_s_matrix(kind, n):
    whole = {Cosine: scipy.fft.dct(np.eye(n), norm="ortho", axis=0), Walsh: None}[kind]
    whole = scipy.linalg.hadamard(n) / n**0.5 if whole is None else whole
    rows, x = sampled_rows(5, n, generator()), normal(3, n)
    operator = kind(n, rows)
    kept = torch.from_numpy(whole)[rows]
    torch.testing.assert_close(operator.forward(x), x @ kept.mT, rtol=0, atol=1e-13)
    y = normal(3, 5, seed=1)
    torch.testing.assert_close(operator.adjoint(y), y @ kept, rtol=0, atol=1e-13)


@given(st.integers(0, 2**16), st.integers(1, 16))
@settings(max_examples=30, deadline=None)
def test_sampled_rows_of_an_orthonormal_transform_are_orthonormal(seed, rows):
    y = normal(rows, seed=seed)
    for kind in (Cosine, Walsh):
        operator = kind(16, sampled_rows(rows, 16, generator(seed)))
        torch.testing.assert_close(operator.forward(operator.adjoint(y)), y)


def test_sampled_rows_hold_the_first_ones_and_are_distinct():
    rows = sampled_rows(10, 50, generator(), first=4)
    assert rows[:4].tolist() == [0, 1, 2, 3] and len(rows.unique()) == 10
    assert sampled_rows(50, 50, generator()).tolist() == list(range(50))


def test_gradients_go_through_the_fast_transforms():
    x = normal(2, 8).requires_grad_()
    for kind in (Cosine, Walsh):
        operator = kind(8, sampled_rows(5, 8, generator()))
        assert torch.autograd.gradcheck(operator.forward, (x,))
        assert torch.autograd.gradcheck(lambda v, op=operator: op.adjoint(op.forward(v)), (x,))


def test_groups_have_a_matrix_each():
    operator = gaussian(5, 8, generator(), groups=(2,))
    x = normal(2, 3, 8)
    for group in range(2):
        alone = Dense(operator.matrix[group])
        torch.testing.assert_close(operator.forward(x)[group], alone.forward(x[group]))
        torch.testing.assert_close(operator.norm[group, 0, 0], alone.norm)


def test_gaussian_columns_have_length_about_one():
    matrix = gaussian(400, 50, generator()).matrix
    assert np.allclose(matrix.norm(dim=0), 1, atol=0.15)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dense(torch.zeros(3)), r"shape \(3,\); expected \(…, rows, unknowns\)"),
        (lambda: Dense(torch.full((2, 2), torch.nan)), "4 entries that are not finite"),
        (lambda: Cosine(4, torch.tensor([0, 4])), "from 0 to 4, 2 of 2 distinct; .* 0 … 3"),
        (lambda: Cosine(4, torch.tensor([1, 1])), "1 of 2 distinct"),
        (lambda: Cosine(4, torch.arange(5)), r"shape \(5,\) .* 1 to 4 int64 indices"),
        (lambda: Cosine(4, torch.tensor([0.0])), "torch.float32; expected"),
        (lambda: Walsh(12, torch.arange(3)), "unknowns is 12; expected a power of two"),
        (lambda: operators.hadamard(torch.zeros(6)), "length 6; expected a power of two"),
        (lambda: sampled_rows(5, 4, generator()), "rows 5; expected first ≤ rows ≤ 4"),
    ],
)
def test_bad_input_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
