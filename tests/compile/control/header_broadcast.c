// <runnel/broadcast.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/broadcast.h>
#include <runnel/broadcast.h>

extern int nothing_else;
