# runnel-test: timeout=300
# find_package(runnel) from an installation that was moved after installing: static and shared.
. "$RUNNEL_SOURCE/tests/package/common"

install_to "$work/first"
mv "$work/first" "$work/moved here"
prefix="$work/moved here"

consumer consumer default -DCMAKE_PREFIX_PATH="$prefix"
says 42 ./default/consumer
uses_shared default/consumer && fail "static is the default"

consumer consumer static -DCMAKE_PREFIX_PATH="$prefix" -DWANT=static -DBUILD_SHARED_LIBS=ON
says 42 ./static/consumer
uses_shared static/consumer && fail "the component static was asked for"

if [ -e "$RUNNEL_BUILD/lib/librunnel.so" ]; then
    consumer consumer shared -DCMAKE_PREFIX_PATH="$prefix" -DWANT=shared
    says 42 ./shared/consumer
    uses_shared shared/consumer || fail "the component shared was asked for"
    consumer consumer option -DCMAKE_PREFIX_PATH="$prefix" -DBUILD_SHARED_LIBS=ON
    uses_shared option/consumer || fail "BUILD_SHARED_LIBS was set"
fi

# A component and a version that do not exist are refused.
"$CMAKE" -S "$RUNNEL_SOURCE/tests/package/consumer" -B wrong -DCMAKE_C_COMPILER="$CC" \
    -DCMAKE_PREFIX_PATH="$prefix" -DWANT=nonsense >log 2>&1 && fail "component 'nonsense' was found"
grep -q nonsense log || fail "the message does not name the component"

# The installed command finds the installed parts.
cp "$RUNNEL_SOURCE/tests/package/consumer/consumer.c" .
says 42 "$prefix/bin/runnel" run consumer.c
