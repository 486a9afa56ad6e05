# The configuration of `outside` lives long enough; those of the others do not, and so do not build.
ferrule_check_lifetime(outside YEARS 10 PAGE 2048 BLOCKS 2 ENDURANCE 10000 BOOTS 5 RECORDS 5000)
foreach(name wears_out run_out has_no_slot)
  add_library(${name} STATIC EXCLUDE_FROM_ALL main.c)
  target_link_libraries(${name} PRIVATE ferrule::ferrule)
endforeach()
ferrule_check_lifetime(wears_out YEARS 10 PAGE 2048 BLOCKS 2 ENDURANCE 10000 BOOTS 5 NO_OVERWRITE)
ferrule_check_lifetime(run_out YEARS 1 PAGE 2048 BLOCKS 2 ENDURANCE 4000000000 BOOTS 0 BURN_MS 1)
ferrule_check_lifetime(has_no_slot YEARS 1 PAGE 128 BLOCKS 2 ENDURANCE 10000 BOOTS 1 POLICY block)
