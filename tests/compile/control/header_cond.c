// <runnel/cond.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/cond.h>
#include <runnel/cond.h>

extern int nothing_else;
