// <runnel/io.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/io.h>
#include <runnel/io.h>

extern int nothing_else;
