# runnel-test: timeout=300
# runnel as a folder of another project, static and shared.
. "$RUNNEL_SOURCE/tests/package/common"

consumer embed static -DRUNNEL="$RUNNEL_SOURCE"
says 42 ./static/embed
uses_shared static/embed && fail "static is the default"
consumer embed shared -DRUNNEL="$RUNNEL_SOURCE" -DBUILD_SHARED_LIBS=ON
says 42 ./shared/embed
uses_shared shared/embed || fail "BUILD_SHARED_LIBS was set"
