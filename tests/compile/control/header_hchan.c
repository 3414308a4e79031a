// <runnel/hchan.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/hchan.h>
#include <runnel/hchan.h>

extern int nothing_else;
