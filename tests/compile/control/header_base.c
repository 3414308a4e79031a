// <runnel/base.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/base.h>
#include <runnel/base.h>

extern int nothing_else;
