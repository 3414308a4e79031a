// <runnel/sync.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/sync.h>
#include <runnel/sync.h>

extern int nothing_else;
