# Run by cpack on the files of each package before it is packed: what Debian's policy asks for.
file(GLOB staged LIST_DIRECTORIES true ${CPACK_TEMPORARY_DIRECTORY}/*)
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)  # that of SOURCE_DATE_EPOCH, where it is set

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

foreach(root IN LISTS staged)
  set(usr ${root}/usr)
  set(package tempera)
  if(root MATCHES "development$")
    set(package libtempera-dev)
  endif()
  if(EXISTS ${usr}/share/zsh/site-functions)
    file(RENAME ${usr}/share/zsh/site-functions ${usr}/share/zsh/vendor-completions)
  endif()
  file(REMOVE_RECURSE ${usr}/share/tempera/modulefiles)  # programs of packages need no module
  file(GLOB pages ${usr}/share/man/man*/*)
  if(pages)
    run(gzip -9n ${pages})
  endif()
  file(GLOB programs ${usr}/bin/tempera)
  foreach(program IN LISTS programs)
    file(RPATH_REMOVE FILE ${program})  # its libraries are those of packages too
  endforeach()
  file(MAKE_DIRECTORY ${usr}/share/doc/${package})
  file(COPY_FILE ${CPACK_RESOURCE_FILE_LICENSE} ${usr}/share/doc/${package}/copyright)
  file(WRITE ${usr}/share/doc/${package}/changelog
    "tempera (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium\n\n  * Version ${CPACK_PACKAGE_VERSION}.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
  run(gzip -9n ${usr}/share/doc/${package}/changelog)
endforeach()
