"""Budget verdicts: the limits of the model's TOML, and whether it keeps them on the board."""

from typing import Any

from squeezenet_mcu.host_tools.report.evidence import Evidence
from squeezenet_mcu.model.settings import budget, model_budget
from squeezenet_mcu.model.settings.budget import Budget, Figures

_NAMES = {
    "max_flash": ("flash", "B"),
    "max_sram": ("SRAM", "B"),
    "max_ms": ("milliseconds an image", "ms"),
    "min_accuracy": ("accuracy", "share"),
}


def gather(e: Evidence) -> dict[str, Any]:
    """See sections."""
    limits = e.settings.budget if e.settings else Budget()
    fit, accuracy = e.fit, model_budget.accuracy_of(e.manifest)
    refused = "our engine does not take the network"
    milliseconds = fit.milliseconds if fit else None
    slow = milliseconds if milliseconds is not None else f"nobody knows the cycles of a {e.board.cpu}"
    flash: int | str = fit.flash_used if fit else refused
    sram: int | str = fit.sram_used if fit else refused
    values: dict[str, float | str] = {
        "max_flash": flash,
        "max_sram": sram,
        "max_ms": slow,
        "min_accuracy": accuracy,
    }
    what = f"{e.artefacts.model} on {e.board.name}"
    rows = []
    for key, (name, unit) in _NAMES.items():
        limit = getattr(limits, key)
        alone = Budget(**{key: limit})
        figures = Figures(what, flash, sram, slow, accuracy)
        said = budget.check(alone, figures)
        value = values[key]
        rows.append(
            {
                "name": name,
                "unit": unit,
                "value": value if not isinstance(value, str) else None,
                "unknown": value if isinstance(value, str) else "",
                "limit": None if limit is None else limit.value,
                "said": "" if limit is None else limit.said,
                "verdict": "no limit" if limit is None else "exceeded" if said else "kept",
                "sentence": "; ".join(said),
            }
        )
    return {"board": e.board.name, "rows": rows, "has_limits": limits != Budget()}
