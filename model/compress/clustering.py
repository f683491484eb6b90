"""Weight clustering: few different values a layer, of which the int8 conversion keeps every one."""

import time
from typing import Any

import numpy as np

from squeezenet_mcu.common import terminal
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.model.compress import guarantees
from squeezenet_mcu.model.compress.constraints import keep_clusters, keep_positive, make_positive
from squeezenet_mcu.model.network import keras_files
from squeezenet_mcu.model.network.tfmot import tfmot
from squeezenet_mcu.model.train import runner
from squeezenet_mcu.model.train.stage import TrainingStage

Centroids = tfmot.clustering.keras.CentroidInitialization


def cluster(stage: TrainingStage) -> None:
    """Writes build/<model>/clustered.keras and cluster.json; zeros stay zero. Raises UserError."""
    started = time.monotonic()
    settings = stage.config.cluster
    model = keras_files.load(stage.input)
    make_positive(model)
    before = guarantees.kernels(model)
    wanted = {name: settings.layers.get(name, settings.clusters) for name in before}

    # A layer with fewer different weights than that has its clusters already, and only needs to keep them.
    already = [name for name, kernel in before.items() if guarantees.look(kernel).values <= wanted[name]]

    def wrap(layer: Any) -> Any:
        if not isinstance(layer, keras.layers.Conv2D) or layer.name in already:
            return layer
        return tfmot.clustering.keras.cluster_weights(
            layer,
            number_of_clusters=wanted[layer.name],
            cluster_centroids_init=Centroids.KMEANS_PLUS_PLUS,
            preserve_sparsity=bool((before[layer.name] == 0).any()),
        )

    np.random.seed(stage.config.train.seed)  # k-means++ draws from numpy's own stream
    wrapped = keras.models.clone_model(model, clone_function=wrap)
    constraints = [keep_clusters(wrapped.get_layer(name).kernel, before[name]) for name in already]
    constraints += keep_positive(wrapped)
    history = runner.train(stage, wrapped, settings.learning_rate, 0, constraints=constraints)
    clustered = tfmot.clustering.keras.strip_clustering(wrapped)
    seen = {name: guarantees.look(kernel) for name, kernel in guarantees.kernels(clustered).items()}
    for name, kernel in guarantees.kernels(clustered).items():
        if seen[name].values > wanted[name]:
            raise UserError(
                f"{stage.output}: {name} has {seen[name].values} different weights; "
                f"want {wanted[name]} at most"
            )
        if np.any((before[name] == 0) & (kernel != 0)):
            raise UserError(
                f"{stage.output}: {name} lost zeros: {seen[name].zeros} of "
                f"{guarantees.look(before[name]).zeros}"
            )
    terminal.echo(guarantees.table(seen))
    runner.finish(stage, clustered, history, started=started, figures={"layers": guarantees.record(seen)})
