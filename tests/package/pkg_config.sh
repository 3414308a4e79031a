# runnel-test: timeout=300
# pkg-config from an installation that was moved after installing: shared, and static with --static.
. "$RUNNEL_SOURCE/tests/package/common"
command -v pkg-config >/dev/null 2>&1 || {
    echo "SKIP: no pkg-config (Debian package: pkg-config)"
    exit 77
}

install_to "$work/first"
mv first moved
pc=$(find moved -name runnel.pc)
[ -n "$pc" ] || fail "runnel.pc was not installed"
grep -q "$work" "$pc" && fail "runnel.pc records the prefix"
PKG_CONFIG_PATH=$work/$(dirname "$pc")
export PKG_CONFIG_PATH
lib=$(dirname "$PKG_CONFIG_PATH")

version=$(sed -n 's/^#define RN_VERSION *"\(.*\)"/\1/p' "$RUNNEL_SOURCE/include/runnel/base.h")
says "$version" pkg-config --modversion runnel

cp "$RUNNEL_SOURCE/tests/package/consumer/consumer.c" .
if [ -e "$lib/librunnel.so" ]; then
    quiet $CC consumer.c -o shared $(pkg-config --cflags --libs runnel)
    says 42 env LD_LIBRARY_PATH="$lib" ./shared
    uses_shared shared || fail "not linked with librunnel.so"
    rm "$lib"/librunnel.so*
fi
quiet $CC consumer.c -o static $(pkg-config --static --cflags --libs runnel)
says 42 ./static
quiet $CC -static consumer.c -o full $(pkg-config --static --cflags --libs runnel)
says 42 ./full
