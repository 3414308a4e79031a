// <runnel/self.h> is complete by itself, and may be included twice.
// also: c++
#include <runnel/self.h>
#include <runnel/self.h>

extern int nothing_else;
