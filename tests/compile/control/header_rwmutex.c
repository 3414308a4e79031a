// <runnel/rwmutex.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/rwmutex.h>
#include <runnel/rwmutex.h>

extern int nothing_else;
