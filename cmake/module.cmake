# One folder under src/ is one module: a library weft_<module> of its sources, and a test program
# weft_<module>_test of its *_test.cc. What lies in <module>/testing/ (fakes, fault wrappers, contract
# suites) is the library weft_<module>_testing, for tests only. What lies in <module>/simulation/ is a test
# program of its own, because it takes the place of the C library's threads and clock, as the thread
# sanitizer does.

add_library(weft_flags INTERFACE)
target_include_directories(weft_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(weft_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror
  $<$<CONFIG:RelWithDebInfo>:-O2 -g1> $<$<CONFIG:Debug>:-O0 -g1>)
target_compile_definitions(weft_flags INTERFACE WEFT_VERSION="${PROJECT_VERSION}")
if(WEFT_SANITIZE STREQUAL "thread")
  # Asio fences; the sanitizer cannot see fences and says so for each.
  target_compile_options(weft_flags INTERFACE -Wno-tsan)
endif()
if(WEFT_SANITIZE)
  target_compile_options(weft_flags INTERFACE -fsanitize=${WEFT_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(weft_flags INTERFACE -fsanitize=${WEFT_SANITIZE})
endif()
if(WEFT_SANITIZE MATCHES "undefined" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc's shared one tells what it finds on stderr alone, whatever log_path asks (tools/sanitize).
  target_link_options(weft_flags INTERFACE -static-libubsan)
endif()

# weft_module(NAME [USES module or library ...]): call it in src/CMakeLists.txt, lowest module first.
function(weft_module name)
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  set(folder ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/(testing|simulation)/")
  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${folder}/*_test.cc)
  list(FILTER tests EXCLUDE REGEX "/(testing|simulation)/")
  file(GLOB fakes CONFIGURE_DEPENDS ${folder}/testing/*.cc)
  list(REMOVE_ITEM sources ${folder}/main.cc ${tests})

  set(uses "")
  foreach(use ${ARG_USES})
    if(TARGET weft_${use})
      list(APPEND uses weft_${use})
    else()
      list(APPEND uses ${use})
    endif()
  endforeach()

  if(sources)
    add_library(weft_${name} STATIC ${sources})
    target_link_libraries(weft_${name} PUBLIC weft_flags ${uses})
  else()
    add_library(weft_${name} INTERFACE)
    target_link_libraries(weft_${name} INTERFACE weft_flags ${uses})
  endif()

  set(testing weft_${name})
  foreach(use ${ARG_USES})
    if(TARGET weft_${use}_testing)
      list(APPEND testing weft_${use}_testing)
    endif()
  endforeach()
  if(fakes)
    add_library(weft_${name}_testing STATIC ${fakes})
    target_link_libraries(weft_${name}_testing PUBLIC ${testing} GTest::gmock)
    list(APPEND testing weft_${name}_testing)
  endif()
  if(tests)
    add_executable(weft_${name}_test ${tests})
    target_link_libraries(weft_${name}_test PRIVATE ${testing} GTest::gmock GTest::gtest_main)
    target_compile_definitions(weft_${name}_test PRIVATE
      WEFT_SOURCE_DIR="${CMAKE_SOURCE_DIR}" WEFT_SHARED_DATA="${CMAKE_SOURCE_DIR}/../shared/data")
    add_test(NAME ${name} COMMAND weft_${name}_test)
    set_tests_properties(${name} PROPERTIES TIMEOUT 600 LABELS unit)
  endif()
  file(GLOB simulation CONFIGURE_DEPENDS ${folder}/simulation/*.cc)
  if(simulation AND NOT WEFT_SANITIZE STREQUAL "thread")
    add_executable(weft_${name}_simulation ${simulation})
    target_link_libraries(weft_${name}_simulation PRIVATE ${testing} GTest::gtest_main)
    add_test(NAME ${name}_simulation COMMAND weft_${name}_simulation)
    set_tests_properties(${name}_simulation PROPERTIES TIMEOUT 600 LABELS unit)
  endif()
endfunction()
