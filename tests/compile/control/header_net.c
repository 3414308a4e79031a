// <runnel/net.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/net.h>
#include <runnel/net.h>

extern int nothing_else;
