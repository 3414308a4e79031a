// <runnel/stream.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/stream.h>
#include <runnel/stream.h>

extern int nothing_else;
