"""IDX files: written by hand, read back, served on loopback, cut short and tampered with."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from falsestruct.problems import digits, idx
from falsestruct.problems.idx import DATASETS, FOLDER, SOURCES, DataError, Source, load, load_from
from falsestruct.problems.planted import digits as patterns

NAMES = list(SOURCES["mnist"].checksums)
SIDE, TRAIN, TEST = 4, 30, 20


def header(*shape: int) -> bytes:
    return struct.pack(f">{1 + len(shape)}I", 0x0800 + len(shape), *shape)


def contents() -> dict[str, bytes]:
    """The four files, uncompressed: image i has the value i everywhere, and the label i mod 10."""
    files = []
    for count in (TRAIN, TEST):
        pixels = b"".join(bytes([i]) * SIDE**2 for i in range(count))
        labels = bytes(i % 10 for i in range(count))
        files += [header(count, SIDE, SIDE) + pixels, header(count) + labels]
    return dict(zip(NAMES, files, strict=True))


def write(folder: Path, files: dict[str, bytes], *, plain: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        path = folder / (name.removesuffix(".gz") if plain else name)
        path.write_bytes(data if plain else gzip.compress(data, mtime=0))
    return folder


def source(files: dict[str, bytes], url: str = "http://127.0.0.1:9/") -> Source:
    """A source whose checksums are those of these files, compressed; nobody listens at the url."""
    sums = {n: hashlib.md5(gzip.compress(d, mtime=0)).hexdigest() for n, d in files.items()}
    return Source("mnist", url, sums)


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str, list[str]]]:
    """A folder, the loopback address that serves it, and what was asked for."""
    folder, asked = tmp_path / "served", list[str]()
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


def right(data: digits.Digits) -> None:
    for (images, labels), count in ((data.train, TRAIN), (data.test, TEST)):
        assert images.shape == (count, SIDE, SIDE)
        assert images.dtype == torch.float64
        assert images[:, 0, 0].tolist() == pytest.approx([i / 255 for i in range(count)])
        assert labels.tolist() == [i % 10 for i in range(count)]


@settings(max_examples=30, deadline=None)
@given(shape=st.lists(st.integers(1, 5), min_size=1, max_size=3), data=st.data())
def test_what_is_written_is_read(shape: list[int], data: st.DataObject) -> None:
    count = torch.tensor(shape).prod().item()
    values = data.draw(st.binary(min_size=count, max_size=count))
    compressed = data.draw(st.booleans())
    whole = header(*shape) + values
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(gzip.compress(whole) if compressed else whole)
        found = idx.read(path, len(shape))
    assert found.tolist() == torch.tensor(list(values)).view(shape).tolist()


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "gz"])
def test_a_folder_is_enough(tmp_path: Path, plain: bool) -> None:
    folder = write(tmp_path / "here", contents(), plain=plain)
    right(load_from(source(contents()), folder=folder))


@pytest.mark.parametrize("plain", [True, False], ids=["plain", "gz"])
def test_the_variable_names_a_folder_of_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: bool
) -> None:
    write(tmp_path / "data" / "mnist", contents(), plain=plain)
    monkeypatch.setenv(FOLDER, str(tmp_path / "data"))
    right(load_from(source(contents())))


def test_load_takes_plain_files_of_a_folder(tmp_path: Path) -> None:
    right(load("fashion-mnist", folder=write(tmp_path / "f", contents(), plain=True)))


def test_files_are_downloaded_once(server: tuple[Path, str, list[str]]) -> None:
    folder, url, asked = server
    write(folder, contents())
    right(load_from(source(contents()), url=url))
    right(load_from(source(contents()), url=url + "/"))
    assert asked == [f"/{name}" for name in NAMES]


def test_a_tampered_download_is_refused(server: tuple[Path, str, list[str]]) -> None:
    folder, url, _ = server
    files = contents()
    want = source(files)
    name = NAMES[1]
    tampered = files | {name: files[name][:-1] + b"\x05"}  # a label changed, the form kept
    write(folder, tampered)
    with pytest.raises(DataError) as error:
        load_from(want, url=url)
    for part in (f"{url}/{name}", want.checksums[name], source(tampered).checksums[name]):
        assert part in str(error.value)
    write(folder, files)  # mended: nothing of the bad file was kept
    right(load_from(want, url=url))


def test_a_tampered_file_of_the_folder_is_refused(tmp_path: Path) -> None:
    files = contents()
    name = NAMES[2]
    tampered = files | {name: files[name][:-1] + b"\xff"}
    folder = write(tmp_path / "here", tampered)
    want = source(files)
    with pytest.raises(DataError) as error:
        load_from(want, folder=folder)
    for part in (str(folder / name), want.checksums[name], source(tampered).checksums[name]):
        assert part in str(error.value)


def test_a_truncated_download_is_refused(server: tuple[Path, str, list[str]]) -> None:
    """Even by a source whose checksum fits: what is missing inside is seen by the parser."""
    folder, url, _ = server
    files = contents()
    files[NAMES[0]] = files[NAMES[0]][:-7]
    write(folder, files)
    with pytest.raises(DataError, match=r"train-images.*473 values.*30 × 4 × 4 = 480.*truncated"):
        load_from(source(files), url=url)


def test_a_truncated_gzip_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, contents()) / NAMES[0]
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"train-images.*truncated or damaged"):
        idx.read(path, 3)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "0x00000000; expected 0x00000801"),
        (header(2, 2, 2) + bytes(8), "0x00000803; expected 0x00000801"),
        (header(3)[:6], "6 bytes; expected 8 of header"),
        (header(3) + bytes(2), "2 values; expected 3 = 3.*truncated"),
        (header(3) + bytes(4), "4 values; expected 3 = 3.*another form"),
        (header(0), "0 values"),
    ],
    ids=["empty", "magic", "header", "short", "long", "none"],
)
def test_the_parser_names_file_value_and_expectation(
    tmp_path: Path, data: bytes, message: str
) -> None:
    path = tmp_path / "labels"
    path.write_bytes(data)
    with pytest.raises(DataError, match=message) as error:
        idx.read(path, 1)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (header(TEST - 1) + bytes(TEST - 1), "20 images.*19 labels"),
        (header(TEST) + bytes(TEST - 1) + b"\x0a", "label 19 is 10; expected 0 to 9"),
    ],
    ids=["count", "range"],
)
def test_labels_must_fit(tmp_path: Path, labels: bytes, message: str) -> None:
    files = contents() | {NAMES[3]: labels}
    folder = write(tmp_path / "here", files, plain=True)
    with pytest.raises(DataError, match=message) as error:
        load_from(source(files), folder=folder)
    assert "t10k-labels-idx1-ubyte" in str(error.value)


@pytest.mark.parametrize("given_folder", [True, False], ids=["empty-folder", "no-network"])
def test_without_network_and_folder_the_error_says_what_to_do(
    tmp_path: Path, given_folder: bool
) -> None:
    with pytest.raises(DataError) as error:
        if given_folder:
            load("mnist", folder=tmp_path)
        else:
            load("mnist", url="http://127.0.0.1:9/")  # the port that discards: nobody listens
    text = str(error.value)
    for name, checksum in SOURCES["mnist"].checksums.items():
        assert name in text
        assert checksum in text
    assert FOLDER in text
    assert "'mnist'" in text


def test_an_unknown_data_set_is_refused() -> None:
    with pytest.raises(ValueError, match="'cifar'; expected one of digits, mnist, fashion-mnist"):
        load("cifar")
    assert DATASETS == ("digits", "mnist", "fashion-mnist")


def test_digits_are_the_bundled_ones_and_few_keeps_order() -> None:
    data = load("digits")
    assert torch.equal(data.train_images, digits.digits().train_images)
    whole = digits.few(data, 5_000, 5_000)
    assert torch.equal(whole.train_images, data.train_images)
    assert torch.equal(whole.test_labels, data.test_labels)
    some = digits.few(data, 50, 20)
    assert (len(some.train_labels), len(some.test_labels)) == (50, 20)
    distance = torch.cdist(some.train_images.flatten(1), data.train_images.flatten(1))
    assert (distance.argmin(1).diff() > 0).all()
    assert torch.equal(data.train_labels[distance.argmin(1)], some.train_labels)
    with pytest.raises(ValueError, match="0 and 5 images"):
        digits.few(data, 0, 5)


def test_patterns_are_planted_on_loaded_images(tmp_path: Path) -> None:
    data = load("mnist", folder=write(tmp_path / "f", contents(), plain=True))
    problem = patterns.digits("pixel", 0.5, data=data)
    x, y = problem.draw(20, torch.Generator().manual_seed(0))
    assert x.shape == (20, SIDE, SIDE)
    assert torch.equal(problem.false(x), y.long())
