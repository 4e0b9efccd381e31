"""All listings, by name."""

import alexnets
import densenets
import efficientnets
import googlenets
import grouped
import lenets
import mobilenets
import mobilenets_v3
import nins
import preresnets
import resnets
import senets
import shufflenets
import vggs
from listing import Listing

FAMILIES = (
    *(lenets, alexnets, vggs, nins, googlenets, resnets, preresnets, grouped, densenets),
    *(senets, mobilenets, mobilenets_v3, shufflenets, efficientnets),
)
LISTINGS: dict[str, Listing] = {
    listing.name: listing for family in FAMILIES for listing in family.LISTINGS
}
