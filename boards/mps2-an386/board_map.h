/* AN386: as AN385. */
#include "../mps2-an385/board_map.h"
