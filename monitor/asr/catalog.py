"""Public streaming models of sherpa-onnx for Mandarin that are known to run here, by short names of our own.

Each is pinned to one revision of its repository, with the sizes and SHA-256 of the files as that revision has them;
where no digest is given, what arrives is held against the digest that the hub states.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublicFile:
    """A file of a model: ``size`` in bytes, 0 when unknown; ``sha256`` in hex, empty when unknown."""

    name: str
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class PublicModel:
    """A model of the hub; ``revision`` is a commit of ``repo``."""

    name: str
    repo: str
    revision: str
    licence: str
    about: str
    files: tuple[PublicFile, ...]

    @property
    def size(self) -> int:
        """Bytes to fetch, as far as known."""
        return sum(file.size for file in self.files)


_MODELS = (
    PublicModel(
        "zipformer-zh-14m",
        "csukuangfj/sherpa-onnx-streaming-zipformer-zh-14M-2023-02-23",
        "204ad334e2e683fd295359930cc16fc0432a23ac",
        "Apache-2.0",
        "Mandarin, small: many calls a core",
        (
            PublicFile(
                "encoder-epoch-99-avg-1.int8.onnx",
                21_621_684,
                "1c556ea57cec304e55ec4b72e52c1cc098bb01476ed7d90f3de939fe126487b1",
            ),
            PublicFile(
                "decoder-epoch-99-avg-1.onnx",
                7_509_745,
                "5ee0f03a2768ff1d5c83ef3a493243c7935d316cd41280037b14783a3467cc78",
            ),
            PublicFile(
                "joiner-epoch-99-avg-1.int8.onnx",
                1_795_562,
                "a7cf9d82757bdcf786059454495a9ca95e4bd7347f72473fc08d794475c36169",
            ),
            PublicFile("tokens.txt", 48_697, "8b294db9045d6e5f94647f4c1eec1af4da143a75053c399611444b378ff966ac"),
        ),
    ),
    PublicModel(
        "zipformer-zh",
        "csukuangfj/sherpa-onnx-streaming-zipformer-zh-int8-2025-06-30",
        "ad658fa0201659a09ea3c176129a191c77ecae8f",
        "not stated by its repository",
        "Mandarin, large",
        (
            PublicFile(
                "encoder.int8.onnx",
                161_141_793,
                "5ac51e27981bb4dab01bb9be4958453ba50c3b61c063ddda0eab23fd3671aa4f",
            ),
            PublicFile("decoder.onnx", 5_165_083, "06522ad63cec0fdf6809f4e1db9bb4f7d710c34582e3b35db62ac60eccafac7e"),
            PublicFile(
                "joiner.int8.onnx", 1_033_416, "b34584dc6f561089e1d747fedebb3765f2caa72c927ef54d7ca55e5ae40a814b"
            ),
            PublicFile("tokens.txt", 20_628, "6193c7ea1c96d0d9a1e9652789b40d13a8a913b434a5451e93158f5a09fd6652"),
        ),
    ),
    PublicModel(
        "zipformer-zh-en",
        "csukuangfj/sherpa-onnx-streaming-zipformer-bilingual-zh-en-2023-02-20",
        "98590b7ed6443e77b714204da2757d75e1a642f4",
        "Apache-2.0",
        "Mandarin and English",
        (
            PublicFile(
                "encoder-epoch-99-avg-1.int8.onnx",
                181_895_032,
                "8fa764187a261844f859d7143ebaa563af5d10adfece4c18a8f414c88cba2a9b",
            ),
            PublicFile(
                "decoder-epoch-99-avg-1.onnx",
                13_876_452,
                "2e3b5ec371f8899ee6acd829fd753ba45772df57a91bdf37cde3136354e7db7d",
            ),
            PublicFile(
                "joiner-epoch-99-avg-1.int8.onnx",
                3_228_404,
                "1ed689c5ed19dbaa725d9d191bb4822b5f4855a39e1ffd28cbc1f340d25b2ee0",
            ),
            PublicFile("tokens.txt", 56_317, "a8e0e4ec53810e433789b54a5c0134a7eaa2ffca595a6334d54c00da858841d3"),
            PublicFile("bpe.vocab"),
        ),
    ),
    PublicModel(
        "zipformer-ctc-zh",
        "k2-fsa/sherpa-onnx-streaming-zipformer-ctc-multi-zh-hans-2023-12-13",
        "01d22f71a55fda6dcae08d1e5392323176b26be5",
        "Apache-2.0",
        "Mandarin, byte-level tokens",
        (
            PublicFile(
                "ctc-epoch-20-avg-1-chunk-16-left-128.int8.onnx",
                sha256="24b0ece0ebfb59d66d807e64f74ad221339b599ead86f1a71e13b7054435065e",
            ),
            PublicFile("tokens.txt"),
        ),
    ),
    PublicModel(
        "paraformer-zh-en",
        "csukuangfj/sherpa-onnx-streaming-paraformer-bilingual-zh-en",
        "8e40c43232a1c5c66c82111efc5820d3accca11b",
        "Apache-2.0",
        "Mandarin and English; tells no times, so that they are guessed to about 0.3 s",
        (
            PublicFile(
                "encoder.int8.onnx",
                165_462_184,
                "81a70226a8934e6ed92aa1d4fc486b428b5398e2f2619ed4897b7294cab90e9a",
            ),
            PublicFile(
                "decoder.int8.onnx", 71_664_561, "f3cca9f77bb9d93c8fcbfb63ae617b6b1ee96818df3aa3b151c40658fe38594f"
            ),
            PublicFile("tokens.txt", 75_756, "59aba8873a2ed1e122c25fee421e25f283b63290efbde85c1f01a853d83cb6e6"),
        ),
    ),
)

MODELS = {model.name: model for model in _MODELS}
_BY_REPO = {model.repo: model for model in _MODELS}


def find(name: str) -> PublicModel | None:
    """The model of a short name or of its repository ``owner/name``."""
    return MODELS.get(name) or _BY_REPO.get(name)
