# The README's two commands for a CMake older than 3.25, and the usual targets. CMake is the build.
#   make demo    configure, build and run the showcase        (cmake --workflow --preset demo)
#   make check   configure, build everything, run all tests   (cmake --workflow --preset check)
CMAKE ?= cmake
CTEST ?= ctest
BUILD ?= build
JOBS  ?= 4

all:
	$(CMAKE) -S . -B $(BUILD)/check
	$(CMAKE) --build $(BUILD)/check -j $(JOBS)

demo:
	$(CMAKE) -S . -B $(BUILD)/demo -DRUNNEL_TESTS=OFF -DRUNNEL_SHARED=OFF -DRUNNEL_VARIANTS=OFF \
	    -DRUNNEL_BENCH=OFF
	$(CMAKE) --build $(BUILD)/demo -j $(JOBS) --target demo

check: all
	cd $(BUILD)/check && $(CTEST) -j 2 --output-on-failure

install: all
	$(CMAKE) --install $(BUILD)/check $(if $(PREFIX),--prefix $(PREFIX))

clean:
	rm -rf $(BUILD)/check $(BUILD)/demo

.PHONY: all demo check install clean
