// <runnel/group.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/group.h>
#include <runnel/group.h>

extern int nothing_else;
