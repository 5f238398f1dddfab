# Weft's commands. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup build demo test bench check interop install clean
JOBS ?= $(shell nproc)

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

setup: ## install what this machine lacks
	@tools/setup

build: setup ## build the program: build/weft
	@tools/build weft

demo: build ## show the main job on this machine's own data
	@tools/demo

test: ## build, and run every test
	@tools/setup test
	@tools/build all
	@ctest --test-dir build --output-on-failure -j $(JOBS)

bench: build ## measure, beside the yardsticks
	@tools/setup test
	@tools/build all
	@tools/bench

interop: build ## run heavy outside clients against it
	@tools/setup test
	@tools/interop

check: ## the style checks that CI runs
	@tools/setup test
	@tools/check

install: build ## install under PREFIX (/usr/local)
	@cmake --install build --prefix $(or $(PREFIX),/usr/local)

clean: ## remove what was built
	@rm -rf build build-dev build-asan build-tsan
