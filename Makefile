# SPDX-License-Identifier: LGPL-2.1-or-later
# The front door: "make image" on a fresh machine installs what is needed, builds the program, builds a signed image
# from recipes/particleos, proves it and boots it. "make check" runs every test.

BUILD ?= build
RECIPE ?= recipes/particleos
# Profiles of the recipe, for instance "make image PROFILES=minimal".
PROFILES ?=
PREFIX ?= /usr/local

particleos = $(BUILD)/src/cli/particleos
recipe_options = -C $(RECIPE) $(foreach profile,$(PROFILES),--profile $(profile))

.PHONY: all setup image profile kitchen check check-life check-packages lint bench install packages clean format

all: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja: | setup
	meson setup --prefix $(PREFIX) $(BUILD)

# Does nothing when everything is there.
setup:
	@tools/setup

image: all
	test -e $(RECIPE)/mkosi.key || $(particleos) -C $(RECIPE) genkey
	$(particleos) $(recipe_options) -f build
	$(particleos) $(recipe_options) inspect --certificate mkosi.crt
	$(particleos) $(recipe_options) vm --until-login

# Where the time of a build goes, as a picture. A second run shows a rebuild.
profile: all
	$(particleos) $(recipe_options) --timeline=$(BUILD)/profile.svg -f build
	@echo "$(BUILD)/profile.svg shows where the time went."

# A build service on this machine: prints a link to log in. docs/kitchen.md.
kitchen: all
	$(BUILD)/src/kitchen/program/particleos-kitchen demo

# Builds itself what it tests, while other things are downloaded.
check: $(BUILD)/build.ninja
	tests/run

# Before a release, or after a change of recipes/particleos: two hours without KVM.
check-life: $(BUILD)/build.ninja
	PARTICLEOS_TEST_LONG=1 tests/run vm

# The packages of Debian 12 and 13: built, judged, installed, used, removed. Needs root.
check-packages: all
	@tools/setup packages
	PARTICLEOS_TEST_LONG=1 tests/integration/test-packaging

# Reads the code for faults. CI runs the same without the analyzer, which takes some minutes.
lint: all
	BUILD=$(BUILD) tools/lint --analyze

bench: all
	bench/recipe
	bench/run

install: all
	meson install -C $(BUILD)

# Debian packages for the release of this machine, in $(BUILD)/packages.
packages:
	@tools/setup build packages
	tools/packages $(BUILD)/packages

format:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf $(BUILD) build-sanitize build-fuzz
