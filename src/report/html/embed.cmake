# Puts the files of the report's page into a C++ source, as they are. Called by the build:
#
#   cmake -DOUTPUT=page_files.cpp -DFOLDER=html -DSCRIPTS=values.js;page.js -P embed.cmake
#
# The scripts become one, in their order and in a scope of its own.

# Raw strings may be 64 KiB long with some compilers; pieces of them are joined by standing side by side.
function(append_literal name text)
    set(literal "")
    string(LENGTH "${text}" length)
    set(at 0)
    while(at LESS length)
        string(SUBSTRING "${text}" ${at} 8000 piece)
        string(APPEND literal "\n    R\"page(${piece})page\"")
        math(EXPR at "${at} + 8000")
    endwhile()
    set(source "${source}\nconst std::string_view ${name} =${literal};\n" PARENT_SCOPE)
endfunction()

file(READ ${FOLDER}/page.html html)
file(READ ${FOLDER}/page.css css)
set(js "(() => {\n\"use strict\";\n")
foreach(script IN LISTS SCRIPTS)
    file(READ ${FOLDER}/${script} text)
    string(APPEND js "${text}")
endforeach()
string(APPEND js "})();\n")

set(source "// Made of src/report/html/ by the build.\n#include \"report/html_page.hpp\"\n\nnamespace datachange {\n")
append_literal(page_html "${html}")
append_literal(page_css "${css}")
append_literal(page_js "${js}")
string(APPEND source "\n}  // namespace datachange\n")
file(WRITE ${OUTPUT} "${source}")
