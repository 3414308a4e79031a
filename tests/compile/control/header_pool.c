// <runnel/pool.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/pool.h>
#include <runnel/pool.h>

extern int nothing_else;
