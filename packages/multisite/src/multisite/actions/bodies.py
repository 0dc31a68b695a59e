"""What requests say of an action. Things are named by their ids; the command finds those by their names."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, IPvAnyAddress, model_validator

from multisite.regions.fields import Text

#: Ids that stand in a region's paths: nothing in them means anything there.
ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Gibibytes = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
SEVERAL = 64


def _trimmed(name: str) -> str:
    if name != name.strip():
        raise ValueError("it begins or ends with white space, which Nova does not take")
    return name


#: A server's name, as Nova takes one.
ServerName = Annotated[Text, AfterValidator(_trimmed)]


class ActionBody(BaseModel):
    """A request body: unknown fields are refused, because they are typing errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class CreateBody(ActionBody):
    """Something new: where, and its name."""

    region: Text


class ServerCreate(CreateBody):
    """A server to create. With `volume_size` (GiB) it boots from a new volume with the image on it."""

    name: ServerName
    image_id: Id
    flavor_id: Text
    network_ids: Annotated[list[Id], Field(min_length=1, max_length=SEVERAL)]
    key_name: Text | None = None
    security_groups: Annotated[list[Text], Field(max_length=SEVERAL)] = []
    availability_zone: Text | None = None
    volume_size: Gibibytes | None = None


class ServerReboot(ActionBody):
    """How to reboot: `soft` asks the guest, `hard` cuts the power."""

    type: Literal["soft", "hard"] = "soft"


class ServerResize(ActionBody):
    """The new flavor; the server then waits for confirm-resize or revert-resize."""

    flavor_id: Text


class VolumeCreate(CreateBody):
    """A volume to create: empty, or from an image, a snapshot or another volume; `size` in GiB."""

    name: Text
    size: Gibibytes | None = None
    volume_type: Text | None = None
    image_id: Id | None = None
    snapshot_id: Id | None = None
    source_volume_id: Id | None = None
    availability_zone: Text | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [self.image_id, self.snapshot_id, self.source_volume_id]
        given = sum(each is not None for each in sources)
        if given > 1:
            raise ValueError("give one of image_id, snapshot_id and source_volume_id at most")
        if self.size is None and (given == 0 or self.image_id is not None):
            raise ValueError("size: this field is required, unless snapshot_id or source_volume_id tells it")
        return self


class VolumeAttach(ActionBody):
    """The server that gets the volume."""

    server_id: Id


class VolumeDetach(ActionBody):
    """The server that loses the volume; needed where several have it."""

    server_id: Id | None = None


class FloatingIPCreate(CreateBody):
    """A floating IP to take from an external network."""

    network_id: Id


class FloatingIPAssociate(ActionBody):
    """Where the floating IP shall lead: a port, or the only port of a server."""

    port_id: Id | None = None
    server_id: Id | None = None
    fixed_ip_address: IPvAnyAddress | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.port_id is None) == (self.server_id is None):
            raise ValueError("give port_id or server_id, one of them")
        return self
