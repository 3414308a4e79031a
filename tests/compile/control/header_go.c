// <runnel/go.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/go.h>
#include <runnel/go.h>

extern int nothing_else;
