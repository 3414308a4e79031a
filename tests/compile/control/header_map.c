// <runnel/map.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/map.h>
#include <runnel/map.h>

extern int nothing_else;
