"""The teacher that a TOML's table [distill] names: which file, and its logits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import trained_files
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.settings.config import Config
from squeezenet_mcu.model.train.chain import is_taught


def teacher_file(settings: Config, stage: str, build: Path) -> Path | None:
    """The .keras file that `stage` learns from; None where it has no teacher.

    Raises UserError where there is no such file.
    """
    if settings.distill is None or not is_taught(settings, stage):
        return None
    name = settings.distill.teacher
    if name == "float":
        candidates, model = [build / settings.name / "float.keras"], str(settings.path)
    elif name.endswith(".keras"):
        candidates, model = [Path(name)], ""
    else:
        candidates, model = trained_files(config.load(name).name, build), name
    for path in candidates:
        if path.is_file():
            return path
    first = f", or first: python -m model train --model {model} --only" if model else ""
    raise UserError(
        f'{settings.path}: [distill] teacher = "{name}": {candidates[0]}: no such file; '
        f"want a .keras file{first}"
    )


def teacher_logits(
    path: Path, input_shape: tuple[int, ...], classes: int, mirror: bool = False
) -> Callable[[Any], Any]:
    """The logits [n, classes] of the teacher in `path` for images [n, h, w, c] in [0, 1].

    `mirror`: their mean over each image and its mirror image.

    Raises UserError where it takes other images, of `input_shape` [h, w, c], or knows another number of
    classes.
    """
    from squeezenet_mcu.model.importers.imported_model import pixel_scale
    from squeezenet_mcu.model.network import keras_files
    from squeezenet_mcu.model.network.logits import logits_of

    logits = logits_of(keras_files.load(path))
    seen = (*logits.input_shape[1:], logits.output_shape[-1])
    if seen != (*input_shape, classes):
        raise UserError(
            f"{path}: a teacher of images {list(seen[:3])} and {seen[3]} classes; "
            f"want {list(input_shape)} and {classes}"
        )
    scale = pixel_scale(path)

    def answers(images: Any) -> Any:
        return logits(images * scale, training=False)

    return (lambda images: (answers(images) + answers(images[:, :, ::-1])) / 2) if mirror else answers
