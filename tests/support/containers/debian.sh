# Where Debian packages of another release than this machine's come from. To be sourced.

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# The lines of a sources.list that ask the mirrors of this machine's apt for the release $1.
sources_of() {
    local own
    own=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # shellcheck disable=SC2016 # apt-get expands it
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sed -n "s/ $own\(-updates\|-security\|\) main$/ $1\1 main/p" | sort -u |
        sed "s|^|deb [signed-by=$KEYRING] |"
}

# What this machine's apt is told of its mirrors, in the form of an apt.conf.
mirror_options() {
    apt-config dump | grep -E '^Acquire::(Check-|[a-z]+::Proxy )' || true
}
