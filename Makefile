# The verbs. Each calls one Python command, which takes --help.
MODEL ?= digits
BOARD ?= stm32f405
PYTHON := .venv/bin/python
# MODEL= may be a TOML of your own: mine.toml, whose `name` is then "mine"; so is mine.keras or mine.h5.
# Its name is part of files' names, which make and the shell take apart: only plain characters.
LETTERS := a b c d e f g h i j k l m n o p q r s t u v w x y z
others := $(value MODEL)
$(foreach c,$(LETTERS) A B C D E F G H I J K L M N O P Q R S T U V W X Y Z 0 1 2 3 4 5 6 7 8 9 _ . / - +,$(eval others := $$(subst $c,,$$(others))))
$(if $(value MODEL),,$(error MODEL=: is empty; want the name of a model or its TOML))
$(if $(others),$(error MODEL=: holds other characters than a-z, A-Z, 0-9 and _ . / - +; rename the file; want the name of a model or its TOML))
MODEL_NAME = $(patsubst %.hdf5,%,$(patsubst %.h5,%,$(patsubst %.keras,%,$(patsubst %.toml,%,$(notdir $(MODEL))))))
CONVERTED = build/$(MODEL_NAME)/manifest.json

# Some systems export a NAME, which is the machine's: only one that is typed is meant.
ifneq ($(origin NAME),command line)
NAME :=
endif

# What may be typed beside a verb. Not exported: make would look into the values.
VARIABLES := MODEL BOARD PYTHON NAME DATA COMPRESS EPOCHS SEED FRESH INIT WORKERS ONLY LIMIT ENGINE_LIMIT JSON TEACHER CANDIDATES \
  PUBLISH WEIGHTS URL CALIBRATION WEIGHT_BITS TFLITE PREPROCESS FIT LABELS TRUST PACKAGE OPTIMIZE KERNEL_FAMILY KERNELS SRAM_BYTES \
  FLASH_BYTES ENCODING CORES ENGINE TFLM_INCLUDE TFLM_LIB TFLM_ARENA_BYTES LAYERS FUNCTIONS TOOL PORT ELF DRY_RUN BUILD CHECK UPDATE \
  MAX_FLASH MAX_SRAM MAX_MS MIN_ACCURACY USB IMAGE SAVE SOURCE LISTEN OPEN STAY REPORT PORTS RESUME FAULTS TRACE INSPECT KEY OLD PROTOCOL TIME RUNS SPEED A B
unexport $(VARIABLES)
typed := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $v))),$v))
unknown := $(filter-out $(VARIABLES) MAKE% -%,$(typed))
# $(call nearest,WORD,WORDS): that of the words which WORD was meant for, if one is like it. Only after a mistake is
# Python called, any that there is; without one, nothing is found.
nearest = $(shell python3 common/command_line/nearest.py '$(subst ','\'',$(1))' $(2) 2>/dev/null)
meant := $(if $(unknown),$(call nearest,$(firstword $(unknown)),$(VARIABLES)))
no_variable = $(firstword $(unknown))=: no such variable
$(if $(unknown),$(error $(no_variable)$(if $(meant), (did you mean $(meant)=?); make help lists them,; want $(VARIABLES))))
# What `if` takes for nothing is nothing: another command than the one that was meant would run.
blank := $(strip $(foreach v,$(VARIABLES),$(if $(strip $(value $v)),,$(if $(value $v)$(filter $v,$(typed)),$v))))
$(if $(blank),$(error $(firstword $(blank))=: is empty or blank; want a value, or leave it out))
SWITCHES := OPEN STAY USB RESUME FRESH ONLY LAYERS FUNCTIONS DRY_RUN BUILD CHECK UPDATE PUBLISH TRUST INSPECT
$(foreach v,$(SWITCHES),$(if $(filter-out 1 yes true 0 no false,$(value $v)),$(error $v=: want 1, or 0 for no)))
# What is typed for a variable goes to Python as it is, as one word: `value` keeps make from looking into it, the
# quotes the shell. A line end would end the recipe's line.
define line_end


endef
quoted = $(if $(findstring $(line_end),$(value $(1))),$(error $(1)=: holds a line end; want one line))'$(subst ','\'',$(value $(1)))'
# $(call option,SEED): --seed='value of SEED', $(call flag,ONLY): --only, when the variable has been given.
lower = $(subst _,-,$(subst A,a,$(subst B,b,$(subst C,c,$(subst D,d,$(subst E,e,$(subst F,f,$(subst G,g,$(subst H,h,$(subst I,i,$(subst J,j,$(subst K,k,$(subst L,l,$(subst M,m,$(subst N,n,$(subst O,o,$(subst P,p,$(subst R,r,$(subst S,s,$(subst T,t,$(subst U,u,$(subst V,v,$(subst W,w,$(subst X,x,$(subst Y,y,$(subst Z,z,$(1)))))))))))))))))))))))))))
option = $(if $(value $(1)),--$(call lower,$(1))=$(call quoted,$(1)))
flag = $(if $(filter 1 yes true,$(value $(1))),--$(call lower,$(1)))
# Python takes the place of the shell, and is told whose child it is: it ends where make is killed (common/start.py).
RUN = ENDS_WITH_MAKE=$$PPID exec $(call quoted,PYTHON)
STAGE = --model=$(call quoted,MODEL) $(call option,DATA) $(call option,EPOCHS) $(call option,SEED) $(call flag,FRESH)
# With TFLITE= the model is named after the file, unless MODEL= was typed as well.
IMPORTED = $(call option,WEIGHTS) $(call option,CALIBRATION) $(call option,WEIGHT_BITS)
CONVERT_MODEL = $(if $(value TFLITE),$(if $(filter command line,$(origin MODEL)),--model=$(call quoted,MODEL)),--model=$(call quoted,MODEL))
# How the engine's model is made for the board.
MADE_FOR = $(call option,OPTIMIZE) $(call option,KERNEL_FAMILY) $(call option,KERNELS) $(call option,SRAM_BYTES) \
  $(call option,FLASH_BYTES) $(call option,ENCODING) $(call option,CORES)
UPDATABLE = $(call flag,UPDATE) $(call option,KEY)
REQUEST = $(MADE_FOR) $(call option,ENGINE) $(call option,TFLM_INCLUDE) $(call option,TFLM_LIB) $(call option,TFLM_ARENA_BYTES)
# Where it takes more than this, the verb fails.
BUDGET = $(call option,MAX_FLASH) $(call option,MAX_SRAM)
# MODEL= and BOARD= as far as they were given.
typed_option = $(if $(filter command environment,$(firstword $(origin $(1)))),$(call option,$(1)))
TYPED = $(call typed_option,MODEL) $(call typed_option,BOARD)
# A real board at PORT=, else the emulated BOARD=.
DEVICE = $(if $(value PORT),--port=$(call quoted,PORT),--board=$(call quoted,BOARD))
# The firmware that can watch its layers, beside the one that cannot: where a verb wants that, or INSPECT=1.
layers_watched = $(filter profile,$(goals))$(if $(filter validate,$(goals)),$(filter 1 yes true,$(value LAYERS)))
WATCHING = $(if $(layers_watched)$(filter 1 yes true,$(value INSPECT)),--inspect)

.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
VERBS := help setup demo test test-long fuzz lint train preview prune cluster quantize summary search curves zoo weights import evaluate classify web analyze convert firmware flash selftest simulate validate live profile report-hardware key upload bench sizes boards claims report compare pictures licences clean
.PHONY: $(VERBS) axe-core-is-missing

# What is typed for a verb that does not take it would be ignored in silence, and the verb do something else than
# what was meant. What it takes is what its recipe and those of the verbs before it look at: that is read in this
# file, each rule as one word. ($(file) wants make 4.2; an older one refuses nothing here.)
space := $(subst ,, )
tab := $(subst ,,	)
rules := $(subst \$(line_end),,$(file <$(lastword $(MAKEFILE_LIST))))
rules := $(subst $(line_end)$(tab),~~,$(rules))
rules := $(subst $(space),~,$(subst $(tab),~,$(rules)))
# $(call looks_at,TEXT): the variables in it, and in what it is made of.
parts := $(foreach v,$(filter-out $(VARIABLES) rules VERBS parts,$(.VARIABLES)),$(if $(filter file,$(origin $v)),$v))
looks_at = $(foreach v,$(VARIABLES),$(if $(findstring $$($v),$(1))$(findstring $(comma)$v$(close),$(1))$(findstring value~$v$(close),$(subst $(space),~,$(1))),$v)) \
  $(foreach v,$(parts),$(if $(findstring $$($v),$(1)),$(call looks_at,$(value $v))))
comma := ,
close := )
# $(call takes,VERB): with what the verbs take that make does before it, which stand between the colon and ##.
rule = $(filter $(1):%,$(rules))
first = $(firstword $(subst ##, ,$(rule)))
before = $(foreach v,$(VERBS),$(if $(findstring ~$v~,$(first))$(findstring $(comma)$v$(close),$(first)),$v))
takes = $(call looks_at,$(rule)) $(foreach v,$(before),$(call takes,$v))
goals := $(or $(MAKECMDGOALS),help)
ifeq ($(filter-out $(VERBS),$(goals))$(if $(rules),,old),)
taken := $(foreach g,$(goals),$(call takes,$g))
taken := $(filter $(taken),$(VARIABLES))
# These speak the link alone, with whatever firmware.
taken := $(filter-out $(if $(filter validate live classify,$(goals)),PROTOCOL),$(taken))
idle := $(filter-out $(taken) PYTHON MAKE% -%,$(typed))
$(if $(idle),$(error $(firstword $(idle))=: make $(goals) does not take it; it takes $(or $(filter-out PYTHON,$(taken)),no variable)))
endif

# What a firmware is made with. A board at PORT= has its firmware, and no board at all has none to be made.
SETTINGS := BOARD OPTIMIZE KERNEL_FAMILY KERNELS SRAM_BYTES FLASH_BYTES ENCODING CORES TFLM_INCLUDE TFLM_LIB TFLM_ARENA_BYTES INSPECT
for_firmware := $(if $(filter firmware flash simulate train bench,$(goals)),,$(filter $(SETTINGS) MAX_FLASH MAX_SRAM $(if $(filter classify,$(goals)),LAYERS),$(typed)))
ifneq ($(filter validate live classify profile,$(goals)),)
$(if $(and $(value PORT)$(value PORTS),$(for_firmware)),$(error $(firstword $(for_firmware))=: the board at PORT= has its firmware already; leave $(firstword $(for_firmware))= out, or first: make flash $(firstword $(for_firmware))=...))
endif
on_host := $(if $(value PORT),,$(if $(filter file,$(origin BOARD)),yes))
$(if $(and $(filter classify,$(goals)),$(on_host),$(for_firmware)),$(error $(firstword $(for_firmware))=: is of a board; want BOARD=, too))
$(if $(and $(filter zoo,$(goals)),$(filter file,$(origin MODEL))),$(error MODEL=: is missing; make zoo trains for hours, so say which: MODEL=$(subst $(space), or ,$(basename $(notdir $(wildcard model/configs/*.toml))))))

##@ Start here
# Verbs in groups, as ##@ says, what ## says of each folded to 100 columns.
help: ## this list
	@echo "make VERB [MODEL=digits] [BOARD=stm32f405] [NAME=value ...]"
	@awk 'function flush() { if (line != "") print line } \
	  /^##@ / { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z-]+:.*## / { verb = $$0; sub(/:.*/, "", verb); text = $$0; sub(/.*## /, "", text); \
	    line = sprintf("  %-10s", verb); n = split(text, words, " "); \
	    for (i = 1; i <= n; i++) { \
	      if (length(line) + 1 + length(words[i]) > 100) { flush(); line = sprintf("%12s", "") } \
	      line = line " " words[i] } \
	    flush() }' Makefile

setup: .venv/.ready ## Debian packages and .venv; every other verb does it when needed
.venv/.ready: pyproject.toml setup.sh locks/full.txt locks/tflm.txt locks/monocypher.txt firmware_cpp/boards/rp2040/emulator/package-lock.json
	@./setup.sh
# A browser and axe-core: converting and flashing do without.
# npm notes what it has installed: without axe-core the tests of pages would be skipped.
AXE_CORE = $(if $(wildcard tests/browser/node_modules/.package-lock.json),,axe-core-is-missing)
.venv/.ready-tests: setup.sh tests/browser/package-lock.json $(AXE_CORE) | .venv/.ready
	@./setup.sh --tests
axe-core-is-missing: ;

demo: setup ## everything without a board: convert, build, boot the emulated board, check real images
	@$(RUN) -m host_tools demo

##@ A network
# NAME= is the model that train makes of MODEL=.
TRAINED = --model=$(if $(value NAME),$(call quoted,NAME),$(call quoted,MODEL))
# One task of a cluster only trains.
ONLY_TRAINS = $(call flag,ONLY)$(if $(value TF_CONFIG),set)
train: setup ## train, compress, convert, validate on the emulated BOARD=; goes on where interrupted [DATA= FIT=resize|crop WORKERS= INIT=model|file|none COMPRESS=none EPOCHS= FRESH=1 LIMIT=20] [NAME=: a second result, a model of that name] [ONLY=1: the float network]
	@$(if $(ONLY_TRAINS),,$(RUN) -m host_tools firmware --model=$(call quoted,MODEL) --board=$(call quoted,BOARD) $(REQUEST) --only-check)
	@$(RUN) -m model train $(STAGE) $(call option,NAME) $(call option,FIT) $(call option,INIT) $(call option,COMPRESS) $(call option,WORKERS) $(call flag,ONLY)
	@$(if $(ONLY_TRAINS),,$(RUN) -m convert $(TRAINED) $(call option,DATA))
	@$(if $(ONLY_TRAINS),,$(RUN) -m host_tools firmware $(TRAINED) --board=$(call quoted,BOARD) $(REQUEST))
	@$(if $(ONLY_TRAINS),,$(RUN) -m host_tools validate $(TRAINED) --board=$(call quoted,BOARD) \
	  --if-emulated $(call option,ENGINE) $(call option,DATA) --limit=$(if $(value LIMIT),$(call quoted,LIMIT),20) $(call option,JSON))
	@$(if $(ONLY_TRAINS),,$(RUN) -m host_tools summary $(TRAINED) --board=$(call quoted,BOARD) $(call option,DATA))

preview: setup ## build/<model>/preview.png: images, and what augmentation makes of them [DATA= FIT=]
	@$(RUN) -m model preview --model=$(call quoted,MODEL) $(call option,DATA) $(call option,FIT)

prune: setup ## prune the trained network [DATA= EPOCHS= FRESH=1]
	@$(RUN) -m model prune $(STAGE)

cluster: setup ## few different weights a layer, as the TOML's [cluster] says [DATA= EPOCHS= FRESH=1]
	@$(RUN) -m model cluster $(STAGE)

quantize: setup ## quantization-aware training of the pruned network [DATA= EPOCHS= FRESH=1 COMPRESS=none]
	@$(RUN) -m model quantize $(STAGE) $(call option,COMPRESS)

summary: setup ## what a training has come to: accuracies, mistakes, what pruning cost, what to do next [BOARD= DATA=]
	@$(RUN) -m host_tools summary --model=$(call quoted,MODEL) --board=$(call quoted,BOARD) $(call option,DATA)

curves: setup ## build/<model>/curves.png, .json: loss, accuracy, zeros, bytes over the stages so far
	@$(RUN) -m model curves --model=$(call quoted,MODEL)

# Each part goes on where it was interrupted. TEACHER= is for TOMLs whose [distill] names another model.
ZOO_STAGE = $(call option,DATA) $(call flag,FRESH)
ZOO_BOARD = stm32f405
zoo: setup ## all of a shipped model: stages, dense baseline, convert, 500 images on stm32f405, model/zoo/<model>/ with its card [DATA= FRESH=1 TEACHER=]
	@$(if $(value TEACHER),$(RUN) -m model train --model=$(call quoted,TEACHER) --only $(ZOO_STAGE))
	@$(RUN) -m model train --model=$(call quoted,MODEL) $(ZOO_STAGE)
	@$(RUN) -m model quantize --model=$(call quoted,MODEL) --dense $(ZOO_STAGE)
	@$(RUN) -m convert --model=$(call quoted,MODEL) $(call option,DATA)
	@$(RUN) -m host_tools firmware --model=$(call quoted,MODEL) --board $(ZOO_BOARD)
	@$(RUN) -m host_tools validate --model=$(call quoted,MODEL) --board $(ZOO_BOARD) $(call option,DATA) --limit 500 --json "build/$(MODEL_NAME)/validated.json"
	@$(RUN) -m model ship --model=$(call quoted,MODEL) --validated "build/$(MODEL_NAME)/validated.json"
	@$(RUN) -m model card --model=$(call quoted,MODEL)

search: setup ## train the candidates of model/zoo/MODEL/search.toml shortly, compare them [MODEL=cifar10 DATA= CANDIDATES="NAME ..." FRESH=1 PUBLISH=1]
	@$(RUN) -m model search --model=$(call quoted,MODEL) $(call option,DATA) $(if $(value CANDIDATES),--only $(foreach c,$(value CANDIDATES),'$(subst ','\'',$c)')) $(call flag,FRESH) $(call flag,PUBLISH)

weights: setup ## fetch published weights into build/weights/, check, import them [MODEL=imagenet_v1_1|imagenet_v1_0|photos WEIGHTS=which URL=mirror]
	@$(RUN) -m model weights --model=$(call quoted,MODEL) $(call option,WEIGHTS) $(call option,URL)

import: setup ## weights trained elsewhere: .net, .npz, .caffemodel, .pth [MODEL=imagenet_v1_0 WEIGHTS=file]
	@$(RUN) -m model import --model=$(call quoted,MODEL) $(call option,WEIGHTS)

evaluate: setup $(CONVERTED) ## accuracy: Keras, the int8 .tflite, our engine on the host [DATA= LIMIT= ENGINE_LIMIT= JSON=file MIN_ACCURACY=0.97]
	@$(RUN) -m model evaluate --model=$(call quoted,MODEL) $(call option,DATA) $(call option,LIMIT) $(call option,ENGINE_LIMIT) $(call option,JSON) $(call option,MIN_ACCURACY)

# By our engine on this computer, on the emulated BOARD= where that was given, or on the board at PORT=.
classify: $(if $(value PORT),setup,$(if $(on_host),setup $(CONVERTED),firmware)) ## what is this? the classes of a picture, or of each in a folder [IMAGE=photo.jpg] [BOARD= or PORT=, of an emulated Pico USB=1] [SAVE=sheet.png JSON=file]
	@$(RUN) -m host_tools classify --model=$(call quoted,MODEL) $(if $(value PORT),$(call option,PORT),$(call typed_option,BOARD)) \
	  $(call flag,USB) $(call flag,INSPECT) $(call option,ENGINE) $(call option,IMAGE) $(call option,SAVE) $(call option,JSON)

web: setup $(CONVERTED) ## build/<model>/web/index.html: one page that runs the network in a browser, and compares it with a board at the USB port
	@$(RUN) -m host_tools web --model=$(call quoted,MODEL)

##@ On a board
analyze: setup ## before anything is built: does it fit each board, how many milliseconds, what to change [MODEL= or TFLITE=file] [BOARD= CORES=2 MAX_FLASH=64K MAX_SRAM= MAX_MS=] [JSON=file]
	@$(RUN) -m host_tools analyze $(CONVERT_MODEL) $(call option,TFLITE) $(call typed_option,BOARD) $(call option,CORES) $(call option,JSON) \
	  $(BUDGET) $(call option,MAX_MS)

convert: setup ## build/<model>/: C arrays, settings, engine model [TFLITE=file PREPROCESS= FIT= ENGINE=tflm] [MODEL=my.keras CALIBRATION=folder PREPROCESS= TRUST=1] [WEIGHTS= CALIBRATION= WEIGHT_BITS=] [LABELS= DATA= MIN_ACCURACY=0.97] [PACKAGE=arduino|platformio|cmake KERNEL_FAMILY=portable|v6m|dsp|mve]
	@$(RUN) -m convert $(CONVERT_MODEL) $(call option,TFLITE) $(call option,PREPROCESS) $(call option,FIT) $(IMPORTED) $(call flag,TRUST) \
	  $(call option,LABELS) $(call option,DATA) $(call option,MIN_ACCURACY) $(call option,PACKAGE) $(MADE_FOR) $(call option,ENGINE)

# Again when the network has been quantized anew, or the converter has changed; not for a .tflite from elsewhere.
OURS = $(wildcard $(filter %.toml,$(MODEL)) model/configs/$(MODEL_NAME).toml build/$(MODEL_NAME)/$(MODEL_NAME).toml)
$(CONVERTED): $(if $(OURS),$(OURS) $(wildcard build/$(MODEL_NAME)/quantized.keras build/$(MODEL_NAME)/imported.keras model/zoo/$(MODEL_NAME)/quantized.keras) $(shell find convert -name '*.py')) | setup
	@$(RUN) -m convert --model=$(call quoted,MODEL)

firmware: setup $(CONVERTED) ## build the firmware of MODEL= for BOARD= [OPTIMIZE=speed|flash|sram SRAM_BYTES= FLASH_BYTES= ENCODING= KERNEL_FAMILY= CORES=2 LAYERS=1 INSPECT=1] [MAX_FLASH=64K MAX_SRAM=] [UPDATE=1: takes new models over the wire; KEY=file.pub: only its owner's] [ENGINE=tflm TFLM_INCLUDE=dir:dir TFLM_LIB=file] [PROTOCOL=mlperf_tiny: for that benchmark's runner]
	@$(RUN) -m host_tools firmware --model=$(call quoted,MODEL) --board=$(call quoted,BOARD) $(REQUEST) $(UPDATABLE) $(call option,PROTOCOL) $(BUDGET) $(if $(filter validate,$(goals)),,$(call flag,LAYERS)) $(WATCHING)

flash: $(if $(value ELF),setup,firmware) ## write it (or ELF=) to a real board, verify it [TOOL= PORT= DRY_RUN=1, and as firmware]
	@$(RUN) -m host_tools flash --model=$(call quoted,MODEL) --board=$(call quoted,BOARD) $(REQUEST) $(UPDATABLE) $(call option,PROTOCOL) $(call option,TOOL) $(call option,PORT) \
	  $(call option,ELF) $(call flag,DRY_RUN) $(WATCHING)

selftest: setup ## bring up a board: UART, counter, memory, faults, emulated or at PORT= [BUILD=1: only the program]
	@$(RUN) -m host_tools selftest --board=$(call quoted,BOARD) $(call option,PORT) $(call flag,BUILD)

simulate: firmware ## boot the emulated BOARD= and print the URL of its serial port [as firmware]
	@$(RUN) -m host_tools simulate --model=$(call quoted,MODEL) --board=$(call quoted,BOARD) $(REQUEST) $(UPDATABLE) $(call option,PROTOCOL) $(WATCHING)

# Real boards at PORTS=a,b share the images.
DEVICES = $(if $(value PORTS),$(call option,PORTS) $(call option,PORT),$(DEVICE))
validate: $(if $(value PORT)$(value PORTS),setup,firmware) ## images over serial, device against Python [PORT= or PORTS=a,b or BOARD=, of an emulated Pico USB=1] [DATA= LIMIT= JSON=file RESUME=1: go on, TRACE=file, FAULTS=all=0.001: damage bytes, SPEED=921600: a faster baud rate, and as firmware] [LAYERS=1: every row of every layer]
	@$(RUN) -m host_tools validate --model=$(call quoted,MODEL) $(DEVICES) $(call flag,USB) $(call option,ENGINE) $(call option,DATA) $(call option,LIMIT) $(call option,JSON) \
	  $(call flag,RESUME) $(call option,FAULTS) $(call option,TRACE) $(call option,SPEED) $(call flag,LAYERS) $(call flag,INSPECT)

# The device may go away and come back: the page says so, and goes on with the picture that was under way.
live: $(if $(value PORT),setup,firmware) ## watch it at work on a page: pictures going in, its answers beside Python's [PORT= or BOARD=, of an emulated Pico USB=1] [SOURCE=folder|camera OPEN=1: the browser, LIMIT= STAY=1 JSON=file] [LISTEN=0.0.0.0:8321: beyond this computer, with a token; SPEED=921600, and as firmware]
	@$(RUN) -m host_tools live --model=$(call quoted,MODEL) $(DEVICE) $(call flag,USB) $(call flag,INSPECT) $(call option,ENGINE) $(call option,SPEED) \
	  $(call option,SOURCE) $(call option,LIMIT) $(call flag,STAY) $(call option,LISTEN) $(call flag,OPEN) $(call option,JSON)

profile: $(if $(value PORT),setup,firmware) ## what each layer takes, by the board's own counter: table, JSON, picture [PORT= or BOARD=, of an emulated Pico USB=1] [DATA= JSON=file, and as firmware]
	@$(RUN) -m host_tools profile --model=$(call quoted,MODEL) $(DEVICE) $(call flag,USB) $(call flag,INSPECT) $(call option,DATA) $(call option,JSON)

report-hardware: $(if $(or $(value PORT),$(value REPORT)),setup,firmware) ## what a real board does, as one JSON to send in (docs/seen-on-silicon.md) [PORT= BOARD=, JSON=file, INSPECT=1: with each layer] [REPORT=file: how far the cycle model is off]
	@$(RUN) -m host_tools report-hardware --model=$(call quoted,MODEL) $(call option,REPORT) \
	  $(if $(value PORT),$(call option,PORT) $(call typed_option,BOARD),$(if $(value REPORT),,--board=$(call quoted,BOARD))) \
	  $(call flag,USB) $(call flag,INSPECT) $(call option,ENGINE) $(call option,JSON)

key: setup ## a pair of keys: KEY=file signs models, KEY=file.pub goes into the firmware
	@$(RUN) -m host_tools key $(call option,KEY)

# The firmware is there already, on the board or in build/: it is an old model's.
upload: setup $(CONVERTED) ## a new model over the wire, only the bytes that differ; the firmware has UPDATE=1 [PORT= or BOARD=, emulated with the firmware of OLD=model] [KEY=file FRESH=1 DRY_RUN=1 JSON=file SPEED=921600] [OPTIMIZE= SRAM_BYTES= FLASH_BYTES= ENCODING= KERNEL_FAMILY=]
	@$(RUN) -m host_tools upload --model=$(call quoted,MODEL) $(if $(value PORT),$(call option,PORT) $(call typed_option,BOARD),--board=$(call quoted,BOARD)) \
	  $(call option,OLD) $(call option,KEY) $(call flag,FRESH) $(call flag,DRY_RUN) $(call option,JSON) $(call option,SPEED) $(MADE_FOR)

##@ Measure
bench: setup ## cycles, instructions, SRAM, flash on all emulated boards [MODEL= BOARD= CHECK=1 LAYERS=1 FUNCTIONS=1 UPDATE=1 MAX_MS=, and as firmware]
	@$(RUN) -m host_tools bench $(TYPED) \
	  $(REQUEST) $(BUDGET) $(call option,MAX_MS) $(call option,JSON) $(call flag,CHECK) $(call flag,LAYERS) $(call flag,FUNCTIONS) $(call flag,UPDATE)

sizes: setup ## SRAM against input size for ImageNet's networks, beside TFLite Micro's [JSON=file]; some minutes
	@$(RUN) -m host_tools sizes $(call option,JSON)

boards: setup ## flash and SRAM that each converted model takes of each board [MODEL= BOARD= JSON=file]
	@$(RUN) -m host_tools boards $(TYPED) $(call option,JSON)

# Without data in at most two minutes; LIMIT= is of the images that accuracy is measured on.
claims: setup ## the SqueezeNet paper recomputed, claim by claim: parameters, bytes of a model, of a training step, of an update, memory [WEIGHTS=file: compression; with DATA=ImageNet's images: accuracy, LIMIT=] [JSON=file]
	@$(RUN) -m host_tools claims $(call option,WEIGHTS) $(call option,DATA) $(call option,LIMIT) $(call option,JSON)

# LIMIT= is of the images that go through LiteRT.
report: setup $(CONVERTED) ## one page about a model, no network needed: proof, memory, flash, layers, mistakes; the figures as JSON [BOARD= DATA= LIMIT= JSON=file]
	@$(RUN) -m host_tools report --model=$(call quoted,MODEL) --board=$(call quoted,BOARD) $(call option,DATA) $(call option,LIMIT) $(call option,JSON)

compare: setup ## two models side by side, from their reports: accuracy, time, flash, SRAM, layers that differ [A=build/x B=build/y JSON=file]
	@$(RUN) -m host_tools compare $(call option,A) $(call option,B) $(call option,JSON)

##@ Work on this project
lint: setup ## style, types and structure: ruff, mypy, import-linter, clang-format, clang-tidy, sizes of files
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) tools/lint/check_types.py
	@$(RUN) tools/lint/check_imports.py
	@$(RUN) tools/lint/sizes.py
	@$(RUN) tools/lint/clang_format.py
	@$(RUN) tools/lint/clang_tidy.py

test: lint .venv/.ready-tests ## all tests but the long ones, and the linters
	@$(RUN) -m pytest -m "not long" -n 2 --dist loadfile

test-long: setup .venv/.ready-tests ## the tests that take long: every board, many images, training
	@$(RUN) -m pytest -m long -n 2

pictures: setup .venv/.ready-tests ## docs/pictures/ taken anew: report, web and live page, an arena's chart; some minutes
	@$(RUN) -m tools.docs.pictures

fuzz: setup ## libFuzzer on the device's end of the link, engine models, MLPerf Tiny's commands [TIME=seconds of each, 60] [RUNS=executions of each]
	@$(RUN) -m tests.fuzz $(call option,TIME) $(call option,RUNS)

licences: setup ## licences of all that is installed: Python, npm, Debian [JSON=file]
	@$(RUN) tools/supply/licences.py $(call option,JSON)

# Without a shell, which would look into what was typed; only `nearest` has one, and quotes it.
.DEFAULT:
	$(error no verb $@$(foreach verb,$(call nearest,$@,$(VERBS)), (did you mean $(verb)?)); see make help)

clean: ## remove build/ (trained models in it, too)
	rm -rf build
