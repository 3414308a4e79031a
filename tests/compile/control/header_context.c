// <runnel/context.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/context.h>
#include <runnel/context.h>

extern int nothing_else;
