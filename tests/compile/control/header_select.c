// <runnel/select.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/select.h>
#include <runnel/select.h>

extern int nothing_else;
