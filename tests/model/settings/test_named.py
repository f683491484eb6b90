"""NAME=: a second result beside the first, which is a model like any other from then on."""

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.settings.named import model_of


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(model, name):
    with pytest.raises(UserError) as error:
        model_of(model, name)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_without_a_name_nothing_is_made(tmp_path):
    assert model_of("small", None) == "small" and not list(tmp_path.iterdir())


def test_a_name_is_a_model_with_the_same_settings(tmp_path, capsys):
    assert model_of("small", "pets") == "pets"
    assert "build/pets/pets.toml: small's settings; from now on, pets is a model" in capsys.readouterr().out
    found, of = config.load("pets"), config.load("small")
    assert (found.name, str(found.path)) == ("pets", "build/pets/pets.toml")
    assert (found.train, found.prune, found.architecture, found.input) == (
        of.train, of.prune, of.architecture, of.input,
    )  # fmt: skip
    toml = tmp_path / "build/pets/pets.toml"
    toml.write_text(toml.read_text().replace("batch = 32", "batch = 16"))
    assert model_of("small", "pets") == "pets" and config.load("pets").train.batch == 16, (
        "the user's own by now"
    )
    assert model_of("pets", "pets") == "pets"
    assert model_of("pets", "cats") == "cats" and config.load("cats").train.batch == 16


def test_a_toml_of_ones_own(tmp_path):
    text = (config.CONFIGS / "small.toml").read_text().replace('name = "small"', 'name="mine" # so')
    (tmp_path / "mine.toml").write_text(text)
    assert model_of("mine.toml", "pets") == "pets" and config.load("pets").name == "pets"
    assert "was made of mine, not of small" in refused("small", "pets")


def test_another_model_than_before(tmp_path):
    model_of("small", "pets")
    assert refused("digits", "pets") == (
        "--name pets: build/pets/pets.toml was made of small, not of digits; want another name, or leave "
        "--name out and train --model pets"
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("small", "--name small: is the name of a model that comes with the project; want another"),
        ("digits", "--name digits: is the name of a model that comes with the project; want another"),
        ("weights", "--name weights: build/weights is no model's, but the project's own; want another"),
        ("../x", '--name "../x": want lower-case letters, digits and underscores, starting with a letter'),
        ("Pets", '--name "Pets": want lower-case letters'),
        ("", '--name "": want lower-case letters'),
    ],
)
def test_names_that_are_refused(tmp_path, name, said):
    assert refused("small", name).startswith(said)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_another_model_has(tmp_path):
    (tmp_path / "build/pets").mkdir(parents=True)
    (tmp_path / "build/pets/manifest.json").write_text("{}")
    assert "build/pets/manifest.json is another model's result; want another name" in refused("small", "pets")
    with pytest.raises(UserError, match='model "pets" is unknown'):
        config.load("pets")


def test_a_name_that_stands_in_a_table_is_not_taken_for_the_model_s(tmp_path):
    text = (config.CONFIGS / "small.toml").read_text().replace('name = "small"', '"name" = "odd"')
    (tmp_path / "odd.toml").write_text(text)
    assert config.load("odd.toml").name == "odd"
    assert 'odd.toml: no line name = "odd" to copy' in refused("odd.toml", "pets")
    assert not (tmp_path / "build").exists()
