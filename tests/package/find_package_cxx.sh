# runnel-test: timeout=300
# A C++ program with the installed package.
. "$RUNNEL_SOURCE/tests/package/common"
[ -n "${CXX:-}" ] || { echo "SKIP: no C++ compiler (Debian package: g++)"; exit 77; }

install_to "$work/prefix"
consumer consumer cxx -DCMAKE_PREFIX_PATH="$work/prefix" -DWITH_CXX=ON -DCMAKE_CXX_COMPILER="$CXX"
says 42 ./cxx/consumer_cxx
