// GO_FUNC comes after the function's declaration.
// expect: later
// expect-c++: later
#include <runnel.h>

#ifdef MISUSE
GO_FUNC(later, int);
#else
void later(int n);
GO_FUNC(later, int);
#endif

void later(int n);
