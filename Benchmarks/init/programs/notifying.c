// The same service, which also says that it is ready, as s6 has it: a newline on descriptor 3. s6-supervise lets a
// second pass between a death and the next start, but where the service had been ready for that long.
#define NOTIFY 3
#include "service.c"
