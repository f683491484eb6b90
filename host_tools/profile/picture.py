"""The profile as a picture: a bar for each layer, and what a multiplication costs in it."""

from pathlib import Path

from squeezenet_mcu.host_tools.profile.figures import Profile
from squeezenet_mcu.model.card.pictures import BLUE, ORANGE, drawing, shortened

_LONGEST = 32  # characters of a layer's name
_MOST = 60  # layers that are drawn; of more, the costliest


def draw(profile: Profile, title: str, path: Path) -> None:
    """Writes the picture to `path`, a PNG."""
    layers = profile.layers
    if len(layers) > _MOST:
        least = sorted(layer.count for layer in layers)[-_MOST]
        layers = [layer for layer in layers if layer.count >= least][:_MOST]
        title += f": the {len(layers)} costliest layers"
    places = range(len(layers))
    scale = 1e3 / profile.hertz if profile.hertz else 1e-6
    with drawing(path, 9.0, 1.2 + 0.2 * len(layers)) as figure:
        time, mac = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
        bars = time.barh(places, [layer.count * scale for layer in layers], color=BLUE, height=0.7)
        labels = [f" {profile.share(layer.count):.1%}" for layer in layers]
        time.bar_label(bars, labels, fontsize=7)
        time.set_yticks(places, [shortened(layer.name, _LONGEST) for layer in layers], fontsize=8)
        time.set_xlabel("milliseconds" if profile.hertz else f"million {profile.unit}")
        time.margins(x=0.1)
        time.invert_yaxis()
        mac.barh(
            places,
            [layer.count / layer.macs if layer.macs else 0 for layer in layers],
            color=ORANGE,
            height=0.7,
        )
        mac.set_xlabel(f"{profile.unit} a MAC")
        for axes in (time, mac):
            axes.grid(axis="x")
            axes.tick_params(axis="y", length=0)
        figure.suptitle(title, x=0.01, ha="left", fontsize=10, weight="bold")
