#include "core/git_commit.hpp"

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace datachange;

namespace {

const std::string first(40, 'a'), second(40, 'b'), long_name(64, 'c');

/// A work tree with a definition in it, and its repository as files.
struct WorkTree {
    test::TempDir dir;
    std::string file;

    WorkTree() : file(write("tree/audits/one.sql", "")) { write("tree/.git/HEAD", "ref: refs/heads/main\n"); }

    std::string write(const std::string& name, const std::string& text) const {
        const std::filesystem::path path = dir.path() / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
        return path.string();
    }
};

}  // namespace

TEST_CASE("the commit of a branch, of a packed branch, and of no branch") {
    const WorkTree tree;
    CHECK(git_commit_of(tree.file).empty());  // nothing was committed yet
    tree.write("tree/.git/packed-refs", "# pack-refs with: peeled fully-peeled sorted \n" + second +
                                            " refs/heads/mainly\n" + first + " refs/heads/main\n^" + second +
                                            "\n");
    CHECK(git_commit_of(tree.file) == first);
    tree.write("tree/.git/refs/heads/main", second + "\n");
    CHECK(git_commit_of(tree.file) == second);
    tree.write("tree/.git/HEAD", long_name + "\n");
    CHECK(git_commit_of(tree.file) == long_name);
}

TEST_CASE("a reference to a reference, and one to itself") {
    const WorkTree tree;
    tree.write("tree/.git/refs/heads/main", "ref: refs/heads/trunk\n");
    tree.write("tree/.git/refs/heads/trunk", first + "\n");
    CHECK(git_commit_of(tree.file) == first);
    tree.write("tree/.git/refs/heads/trunk", "ref: refs/heads/main\n");
    CHECK(git_commit_of(tree.file).empty());
}

TEST_CASE("a further work tree has a HEAD of its own, and the branches of the repository") {
    const WorkTree tree;
    tree.write("tree/.git/refs/heads/main", first + "\n");
    tree.write("tree/.git/refs/heads/side", second + "\n");
    tree.write("tree/.git/worktrees/other/HEAD", "ref: refs/heads/side\n");
    tree.write("tree/.git/worktrees/other/commondir", "../..\n");
    const std::string file = tree.write("other/audits/one.sql", "");
    tree.write("other/.git", "gitdir: " + tree.dir / "tree/.git/worktrees/other\n");
    CHECK(git_commit_of(file) == second);
    tree.write("other/.git", "gitdir: ../tree/.git/worktrees/other\n");
    CHECK(git_commit_of(file) == second);
}

TEST_CASE("no commit where there is none, or one that cannot be told") {
    const WorkTree tree;
    CHECK(git_commit_of(tree.dir / "not/there.sql").empty());
    CHECK(git_commit_of("").empty());
    tree.write("tree/.git/HEAD", "ref: refs/heads/.invalid\n");  // reftable
    CHECK(git_commit_of(tree.file).empty());
    tree.write("tree/.git/HEAD", "ref: ../../audits\n");
    CHECK(git_commit_of(tree.file).empty());
    tree.write("tree/.git/HEAD", std::string(41, 'a'));
    CHECK(git_commit_of(tree.file).empty());
}
