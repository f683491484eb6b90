# The verbs. Each calls one Python command, which takes --help.
MODEL ?= digits
BOARD ?= stm32f405
PYTHON := .venv/bin/python
# MODEL= may be a TOML of your own: mine.toml, whose `name` is then "mine".
NAME = $(patsubst %.toml,%,$(notdir $(MODEL)))
CONVERTED = build/$(NAME)/manifest.json

# $(call option,NAME): --name "$(NAME)" when the variable has been given.
lower = $(shell echo $(1) | tr A-Z_ a-z-)
option = $(if $($(1)),--$(call lower,$(1)) "$($(1))")
STAGE = --model "$(MODEL)" $(call option,DATA) $(call option,EPOCHS) $(call option,SEED) $(if $(FRESH),--fresh)
# With TFLITE= the model is named after the file, unless MODEL= was typed as well.
IMPORTED = $(call option,WEIGHTS) $(call option,CALIBRATION) $(call option,WEIGHT_BITS)
CONVERT_MODEL = $(if $(TFLITE),$(if $(filter command line,$(origin MODEL)),--model "$(MODEL)"),--model "$(MODEL)")
# How the engine's model is made for the board.
REQUEST = $(call option,OPTIMIZE) $(call option,KERNEL_FAMILY) $(call option,KERNELS) $(call option,SRAM_BYTES) $(call option,FLASH_BYTES) $(call option,ENCODING) \
  $(call option,ENGINE) $(call option,TFLM_INCLUDE) $(call option,TFLM_LIB) $(call option,TFLM_ARENA_BYTES)
# MODEL= and BOARD= as far as they were given.
TYPED = $(foreach name,MODEL BOARD,$(if $(filter command environment,$(firstword $(origin $(name)))),$(call option,$(name))))
# A real board at PORT=, else the emulated BOARD=.
DEVICE = $(if $(PORT),--port "$(PORT)",--board "$(BOARD)")

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long lint train preview prune cluster quantize search curves zoo import evaluate convert firmware flash selftest simulate validate bench sizes boards clean

help: ## this list
	@echo "make VERB [MODEL=digits] [BOARD=stm32f405] ..."
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12

setup: .venv/.ready ## Debian packages and .venv; every other verb does it when needed
.venv/.ready: pyproject.toml setup.sh
	@./setup.sh

demo: setup ## everything without a board: convert, build, boot the emulated board, check real images
	@$(PYTHON) -m host_tools demo

lint: setup ## style, types and structure: ruff, mypy, import-linter, clang-format, clang-tidy, sizes of files
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) tools/lint/check_types.py
	@.venv/bin/lint-imports --no-cache
	@$(PYTHON) tools/lint/sizes.py
	@$(PYTHON) tools/lint/clang_format.py
	@$(PYTHON) tools/lint/clang_tidy.py

test: lint ## all tests but the long ones, and the linters
	@$(PYTHON) -m pytest -m "not long" -n 2 --dist loadfile

test-long: setup ## the tests that take long: every board, many images, training
	@$(PYTHON) -m pytest -m long -n 2

train: setup ## train, compress, convert, validate on the emulated BOARD=; goes on where interrupted [DATA= WORKERS= INIT=model|file EPOCHS= FRESH=1 LIMIT=100] [ONLY=1: the float network]
	@$(PYTHON) -m model train $(STAGE) $(call option,INIT) $(call option,WORKERS) $(if $(ONLY),--only)
# One task of a cluster only trains.
ifeq ($(ONLY)$(TF_CONFIG),)
	@$(MAKE) --no-print-directory convert
	@$(MAKE) --no-print-directory validate PORT= LIMIT=$(or $(LIMIT),100)
endif

preview: setup ## build/<model>/preview.png: images, and what augmentation makes of them [DATA=]
	@$(PYTHON) -m model preview --model "$(MODEL)" $(call option,DATA)

prune: setup ## prune the trained network [DATA= EPOCHS= FRESH=1]
	@$(PYTHON) -m model prune $(STAGE)

cluster: setup ## few different weights a layer, as the TOML's [cluster] says [DATA= EPOCHS= FRESH=1]
	@$(PYTHON) -m model cluster $(STAGE)

quantize: setup ## quantization-aware training of the pruned network [DATA= EPOCHS= FRESH=1]
	@$(PYTHON) -m model quantize $(STAGE)

curves: setup ## build/<model>/curves.png, .json: loss, accuracy, zeros, bytes over the stages so far
	@$(PYTHON) -m model curves --model "$(MODEL)"

# Each part goes on where it was interrupted. TEACHER= is for TOMLs whose [distill] names another model.
ZOO_STAGE = $(call option,DATA) $(if $(FRESH),--fresh)
ZOO_BOARD = stm32f405
zoo: setup ## all of a shipped model: stages, dense baseline, convert, 500 images on stm32f405, model/zoo/<model>/ with its card [DATA= FRESH=1 TEACHER=]
	@$(if $(TEACHER),$(PYTHON) -m model train --model "$(TEACHER)" --only $(ZOO_STAGE))
	@$(PYTHON) -m model train --model "$(MODEL)" $(ZOO_STAGE)
	@$(PYTHON) -m model quantize --model "$(MODEL)" --dense $(ZOO_STAGE)
	@$(PYTHON) -m convert --model "$(MODEL)" $(call option,DATA)
	@$(PYTHON) -m host_tools firmware --model "$(MODEL)" --board $(ZOO_BOARD)
	@$(PYTHON) -m host_tools validate --model "$(MODEL)" --board $(ZOO_BOARD) $(call option,DATA) --limit 500 --json "build/$(NAME)/validated.json"
	@$(PYTHON) -m model ship --model "$(MODEL)" --validated "build/$(NAME)/validated.json"
	@$(PYTHON) -m model card --model "$(MODEL)"

search: setup ## train the candidates of model/zoo/MODEL/search.toml shortly, compare them [MODEL=cifar10 DATA= CANDIDATES="NAME ..." FRESH=1 PUBLISH=1]
	@$(PYTHON) -m model search --model "$(MODEL)" $(call option,DATA) $(if $(CANDIDATES),--only $(CANDIDATES)) $(if $(FRESH),--fresh) $(if $(PUBLISH),--publish)

import: setup ## weights trained elsewhere: .net, .npz, .caffemodel [MODEL=imagenet_v1_0 WEIGHTS=file]
	@$(PYTHON) -m model import --model "$(MODEL)" $(call option,WEIGHTS)

evaluate: setup $(CONVERTED) ## accuracy: Keras, the int8 .tflite, our engine on the host [DATA= LIMIT= ENGINE_LIMIT= JSON=file]
	@$(PYTHON) -m model evaluate --model "$(MODEL)" $(call option,DATA) $(call option,LIMIT) $(call option,ENGINE_LIMIT) $(call option,JSON)

convert: setup ## build/<model>/: C arrays, settings, engine model [TFLITE=file PREPROCESS= FIT= ENGINE=tflm] [WEIGHTS= CALIBRATION=folder WEIGHT_BITS=] [LABELS= DATA=] [PACKAGE=arduino|platformio|cmake KERNEL_FAMILY=portable|dsp|mve]
	@$(PYTHON) -m convert $(CONVERT_MODEL) $(call option,TFLITE) $(call option,PREPROCESS) $(call option,FIT) $(IMPORTED) \
	  $(call option,LABELS) $(call option,DATA) $(call option,PACKAGE) $(if $(PACKAGE),$(REQUEST)) $(if $(TFLITE),$(call option,ENGINE))

# Again when the network has been quantized anew, or the converter has changed; not for a .tflite from elsewhere.
OURS = $(wildcard $(filter %.toml,$(MODEL)) model/configs/$(NAME).toml)
$(CONVERTED): $(if $(OURS),$(OURS) $(wildcard build/$(NAME)/quantized.keras build/$(NAME)/imported.keras model/zoo/$(NAME)/quantized.keras) $(shell find convert -name '*.py')) | setup
	@$(PYTHON) -m convert --model "$(MODEL)"

firmware: setup $(CONVERTED) ## build the firmware of MODEL= for BOARD= [OPTIMIZE=speed|flash|sram SRAM_BYTES= FLASH_BYTES= ENCODING= KERNEL_FAMILY= LAYERS=1] [ENGINE=tflm TFLM_INCLUDE=dir:dir TFLM_LIB=file]
	@$(PYTHON) -m host_tools firmware --model "$(MODEL)" --board "$(BOARD)" $(REQUEST) $(if $(LAYERS),--layers)

flash: $(if $(ELF),setup,firmware) ## write it (or ELF=) to a real board, verify it [TOOL= PORT= DRY_RUN=1, and as firmware]
	@$(PYTHON) -m host_tools flash --model "$(MODEL)" --board "$(BOARD)" $(REQUEST) $(call option,TOOL) $(call option,PORT) \
	  $(call option,ELF) $(if $(DRY_RUN),--dry-run)

selftest: setup ## bring up a board: UART, counter, memory, faults, emulated or at PORT= [BUILD=1: only the program]
	@$(PYTHON) -m host_tools selftest --board "$(BOARD)" $(call option,PORT) $(if $(BUILD),--build)

simulate: firmware ## boot the emulated BOARD= and print the URL of its serial port [as firmware]
	@$(PYTHON) -m host_tools simulate --model "$(MODEL)" --board "$(BOARD)" $(REQUEST)

validate: $(if $(PORT),setup,firmware) ## images over serial, device against Python [PORT= or BOARD=] [DATA= LIMIT= JSON=file, and as firmware]
	@$(PYTHON) -m host_tools validate --model "$(MODEL)" $(DEVICE) $(call option,ENGINE) $(call option,DATA) $(call option,LIMIT) $(call option,JSON)

bench: setup ## instructions, SRAM, flash of all networks on all emulated boards [MODEL= BOARD= CHECK=1 LAYERS=1 UPDATE=1, and as firmware]
	@$(PYTHON) -m host_tools bench $(TYPED) \
	  $(REQUEST) $(call option,JSON) $(if $(CHECK),--check) $(if $(LAYERS),--layers) $(if $(UPDATE),--update)

sizes: setup ## SRAM against input size for ImageNet's networks, beside TFLite Micro's [JSON=file]; some minutes
	@$(PYTHON) -m host_tools sizes $(call option,JSON)

boards: setup ## flash and SRAM that each converted model takes of each board [MODEL= BOARD= JSON=file]
	@$(PYTHON) -m host_tools boards $(TYPED) $(call option,JSON)

clean: ## remove build/ (trained models in it, too)
	rm -rf build
