// <runnel/chan.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/chan.h>
#include <runnel/chan.h>

extern int nothing_else;
