# A board with little RAM names the tests that fit it. The others are linked as if it had no end of
# RAM, for the test left_out, which says why each is left out.
set(board_tests "")
if(FERRULE_BOARD_DIR AND EXISTS ${FERRULE_BOARD_DIR}/tests)
  file(STRINGS ${FERRULE_BOARD_DIR}/tests board_tests REGEX "^[a-z]")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${FERRULE_BOARD_DIR}/tests)
endif()

# result: whether the program `name`, the test `short`, is left out.
function(ferrule_leave_out name short result)
  set(${result} OFF PARENT_SCOPE)
  if(board_tests AND NOT short IN_LIST board_tests)
    target_link_options(${name} PRIVATE -Wl,--defsym=__ram_size=0x1000000)
    set_property(GLOBAL APPEND PROPERTY ferrule_left_out $<TARGET_FILE:${name}>)
    set(${result} ON PARENT_SCOPE)
  endif()
endfunction()
