"""Measurement matrices as functions: forward, adjoint, norm; a dense one and three fast ones.

Arrays of signals are (…, unknowns), arrays of measurements (…, rows); leading axes are problems.
The fast ones are rows of an orthonormal transform and never become a dense matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Protocol

import torch
from torch import Tensor


class Operator(Protocol):
    """A linear map A from signals to measurements."""

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of unknowns."""

    @property
    def norm(self) -> Tensor:
        """The largest singular value, in a shape that broadcasts against signals."""

    def forward(self, x: Tensor) -> Tensor:
        """A x: (…, unknowns) to (…, rows)."""

    def adjoint(self, y: Tensor) -> Tensor:
        """A* y: (…, rows) to (…, unknowns)."""


@dataclass(frozen=True, eq=False)
class Dense:
    """One matrix for all problems, or one a group of problems.

    Attributes:
        matrix: (rows, unknowns), or (groups, rows, unknowns) for signals (groups, problems,
            unknowns); real or complex.
    """

    matrix: Tensor

    def __post_init__(self) -> None:
        if self.matrix.ndim < 2 or 0 in self.matrix.shape:
            raise ValueError(
                f"matrix has shape {tuple(self.matrix.shape)}; expected (…, rows, unknowns)"
            )
        if not self.matrix.isfinite().all():
            raise ValueError(f"matrix has {_bad(self.matrix)} entries that are not finite")

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of unknowns."""
        return self.matrix.shape[-2], self.matrix.shape[-1]

    @cached_property
    def norm(self) -> Tensor:
        """Largest singular value, () or (groups, 1, 1)."""
        largest = torch.linalg.matrix_norm(self.matrix, ord=2)
        return largest if self.matrix.ndim == 2 else largest[..., None, None]

    def forward(self, x: Tensor) -> Tensor:
        """A x."""
        return x @ self.matrix.mT

    def adjoint(self, y: Tensor) -> Tensor:
        """A* y."""
        return y @ self.matrix.conj()


def gaussian(
    rows: int, unknowns: int, generator: torch.Generator, *, groups: tuple[int, ...] = ()
) -> Dense:
    """Independent normal entries of variance 1/rows, so that columns have length about one."""
    shape = (*groups, rows, unknowns)
    entries = torch.randn(shape, dtype=torch.float64, generator=generator)
    return Dense(entries / math.sqrt(rows))


@dataclass(frozen=True, eq=False)
class _Sampled:
    """Some rows of an orthonormal transform; its norm is exactly one.

    Attributes:
        unknowns: Length of a signal.
        rows: Distinct indices of the rows that are kept, (rows,).
    """

    unknowns: int
    rows: Tensor

    def __post_init__(self) -> None:
        kept = self.rows
        if kept.ndim != 1 or not 1 <= len(kept) <= self.unknowns or kept.dtype != torch.int64:
            raise ValueError(
                f"rows have shape {tuple(kept.shape)} and {kept.dtype}; expected 1 to "
                f"{self.unknowns} int64 indices of a transform of {self.unknowns} unknowns"
            )
        if not ((kept >= 0) & (kept < self.unknowns)).all() or len(kept.unique()) != len(kept):
            raise ValueError(
                f"rows run from {int(kept.min())} to {int(kept.max())}, {len(kept.unique())} of "
                f"{len(kept)} distinct; expected distinct ones of 0 … {self.unknowns - 1}"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of unknowns."""
        return len(self.rows), self.unknowns

    @property
    def norm(self) -> Tensor:
        """One."""
        return torch.ones((), dtype=torch.float64)

    def forward(self, x: Tensor) -> Tensor:
        """The rows that are kept of the transform of x."""
        return self._transform(x).index_select(-1, self.rows)

    def adjoint(self, y: Tensor) -> Tensor:
        """The inverse transform of y, with zeros where no row is kept."""
        full = y.new_zeros(*y.shape[:-1], self.unknowns).index_copy(-1, self.rows, y)
        return self._inverse(full)

    def _transform(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError


class Cosine(_Sampled):
    """Rows of the orthonormal discrete cosine transform (DCT-II), by one FFT of the same length.

    Rows are read from the real and imaginary parts of the FFT directly: sorting all coefficients
    first would take as long as the FFT.
    """

    @cached_property
    def _places(self) -> Tensor:
        """Where the rows stand in `_folded`, real and imaginary parts in turn."""
        upper = self.rows > self.unknowns // 2
        return torch.where(upper, 2 * (self.unknowns - self.rows) + 1, 2 * self.rows)

    def forward(self, x: Tensor) -> Tensor:
        """The rows that are kept of the transform of x."""
        if x.is_complex():
            return torch.complex(self.forward(x.real), self.forward(x.imag))
        return torch.view_as_real(_folded(x)).flatten(-2).index_select(-1, self._places)

    def adjoint(self, y: Tensor) -> Tensor:
        """The inverse transform of y, with zeros where no row is kept."""
        if y.is_complex():
            return torch.complex(self.adjoint(y.real), self.adjoint(y.imag))
        numbers = 2 * (self.unknowns // 2 + 1)
        full = y.new_zeros(*y.shape[:-1], numbers).index_copy(-1, self._places, y)
        return _unfolded(torch.view_as_complex(full.unflatten(-1, (-1, 2))), self.unknowns)


class Fourier(_Sampled):
    """Rows of the unitary discrete Fourier transform; signals and measurements are complex."""

    def _transform(self, x: Tensor) -> Tensor:
        return torch.fft.fft(x, norm="ortho")

    def _inverse(self, y: Tensor) -> Tensor:
        return torch.fft.ifft(y, norm="ortho")


class Walsh(_Sampled):
    """Rows of the orthonormal Walsh-Hadamard transform, in Hadamard's order; 2ᵏ unknowns."""

    def __post_init__(self) -> None:
        if self.unknowns & (self.unknowns - 1):
            raise ValueError(f"unknowns is {self.unknowns}; expected a power of two")
        super().__post_init__()

    def _transform(self, x: Tensor) -> Tensor:
        return hadamard(x)

    def _inverse(self, y: Tensor) -> Tensor:
        return hadamard(y)  # symmetric and orthogonal


def matrix_of(operator: Operator) -> Tensor:
    """The dense matrix, for comparison only: (…, rows, unknowns)."""
    if isinstance(operator, Dense):
        return operator.matrix
    return operator.forward(torch.eye(operator.shape[1], dtype=torch.float64)).mT


def sampled_rows(rows: int, unknowns: int, generator: torch.Generator, *, first: int = 0) -> Tensor:
    """Random distinct rows in increasing order, the lowest `first` always among them."""
    if not 0 <= first <= rows <= unknowns or rows < 1:
        raise ValueError(f"first {first}, rows {rows}; expected first ≤ rows ≤ {unknowns}")
    rest = first + torch.randperm(unknowns - first, generator=generator)[: rows - first]
    return torch.cat((torch.arange(first), rest)).sort().values


def cosine(x: Tensor) -> Tensor:
    """Orthonormal DCT-II of the last axis, real or complex."""
    if x.is_complex():
        return torch.complex(cosine(x.real), cosine(x.imag))
    n, folded = x.shape[-1], _folded(x)
    return torch.cat((folded.real, folded.imag[..., 1 : (n + 1) // 2].flip(-1)), dim=-1)


def inverse_cosine(y: Tensor) -> Tensor:
    """The inverse of `cosine`, its transpose."""
    if y.is_complex():
        return torch.complex(inverse_cosine(y.real), inverse_cosine(y.imag))
    n, half = y.shape[-1], y.shape[-1] // 2 + 1
    partners = torch.nn.functional.pad(y[..., half:].flip(-1), (1, 1 - n % 2))
    return _unfolded(torch.complex(y[..., :half].contiguous(), partners), n)


def _folded(x: Tensor) -> Tensor:
    """All coefficients of the DCT-II in n/2 + 1 complex numbers (Makhoul 1980).

    The FFT is of the first entry, then the odd ones, then the even ones reversed. Times e^{iπk/2n},
    number k has coefficient k as its real part and coefficient n − k as its imaginary one.
    """
    ordered = torch.cat((x[..., :1], x[..., 1::2], x[..., 2::2].flip(-1)), dim=-1)
    return torch.fft.rfft(ordered) * _twiddle(x.shape[-1], x.dtype)


def _unfolded(folded: Tensor, n: int) -> Tensor:
    """The inverse of `_folded`, with n entries.

    The middle coefficient of an even n is its own partner; it is read from the real part alone.
    """
    ordered = torch.fft.irfft(folded * _untwiddle(n, folded.dtype), n=n)
    odds = n // 2
    x = torch.empty_like(ordered)
    x[..., :1] = ordered[..., :1]
    x[..., 1::2] = ordered[..., 1 : odds + 1]
    x[..., 2::2] = ordered[..., odds + 1 :].flip(-1)
    return x


@lru_cache(maxsize=64)
def _twiddle(n: int, dtype: torch.dtype) -> Tensor:
    """The factors e^{iπk/2n}, k up to n/2, with the scales that make the transform orthonormal."""
    k = torch.arange(n // 2 + 1, dtype=torch.float64)
    scale = torch.full_like(k, math.sqrt(2 / n))
    scale[0] = math.sqrt(1 / n)
    kind = torch.complex64 if dtype == torch.float32 else torch.complex128
    return torch.polar(scale, math.pi * k / (2 * n)).to(kind)


@lru_cache(maxsize=64)
def _untwiddle(n: int, dtype: torch.dtype) -> Tensor:
    """The inverse factors; twice as large in the middle of an even n, where a half is missing."""
    factors = 1 / _twiddle(n, torch.float64)
    if n % 2 == 0:
        factors[-1] = 2 * factors[-1]
    return factors.to(dtype)


def hadamard(x: Tensor) -> Tensor:
    """Orthonormal fast Walsh-Hadamard transform of the last axis, whose length is a power of two.

    A Hadamard matrix of 2ᵏ rows is a Kronecker product of smaller ones: one product with a matrix
    of 64 rows is faster than six rounds of sums.
    """
    n = x.shape[-1]
    if n & (n - 1) or n == 0:
        raise ValueError(f"the last axis has length {n}; expected a power of two")
    first, *others = _factors(n)
    result = x.reshape(-1, first) @ _small(first, x.dtype)
    done = first
    for size in others:
        parts = result.reshape(-1, size, done)
        result = torch.bmm(_small(size, x.dtype).expand(len(parts), size, size), parts)
        done *= size
    return result.reshape(x.shape)


def _factors(n: int) -> list[int]:
    """Powers of two whose product is n: the first up to 64, others up to 32 and about equal.

    The first is one product for all signals, which pays for more rows; the others are many.
    """
    bits = n.bit_length() - 1
    first, rest = min(6, bits), max(0, bits - 6)
    count = -(-rest // 5)
    return [2**first, *(2 ** (rest // count + (i < rest % count)) for i in range(count))]


@lru_cache(maxsize=32)
def _small(size: int, dtype: torch.dtype) -> Tensor:
    """The orthonormal Hadamard matrix of this size."""
    block = torch.ones(1, 1, dtype=torch.float64)
    pair = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64) / math.sqrt(2)
    for _ in range(size.bit_length() - 1):
        block = torch.kron(pair, block)
    return block.to(dtype)


def _bad(values: Tensor) -> int:
    return int((~values.isfinite()).sum())
